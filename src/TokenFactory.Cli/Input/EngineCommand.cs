using System.Text;

namespace TokenFactory.Cli.Input;

/// <summary>The command line of an engine in words: "vllm serve MODEL --tensor-parallel-size 4", or the flags of one alone.</summary>
/// <param name="Engine">Key of the engine that its words name; null where they name none.</param>
/// <param name="Model">The model that stands beside the flags; null where none does.</param>
/// <param name="Flags">The flags with their values; a switch has none. Underscores are dashes.</param>
internal sealed record EngineCommand(string? Engine, string? Model, IReadOnlyList<(string Flag, string? Value)> Flags)
{
    private static readonly (string Word, string Engine)[] Programs =
    [
        ("vllm", "vllm"), ("vllm.entrypoints.openai.api_server", "vllm"), ("sglang", "sglang"), ("sglang.launch_server", "sglang"),
        ("trtllm-serve", "tensorrt-llm"),
    ];

    /// <summary>Reads a command line as a shell would split it: quotes, backslashes, continued lines.</summary>
    public static EngineCommand Read(string line)
    {
        var words = Split(line);
        string? engine = null, model = null;
        var flags = new List<(string, string?)>();
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            var program = Programs.FirstOrDefault(one => one.Word == Path.GetFileName(word)).Engine;
            if (program is not null)
                engine ??= program;
            else if (word is "-m" or "serve" || word.StartsWith("python", StringComparison.Ordinal))
                continue;
            else if (!IsFlag(word))
                model ??= word;
            else if (word.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
                flags.Add((Named(word[..at]), word[(at + 1)..]));
            else if (i + 1 < words.Count && !IsFlag(words[i + 1]) && !EngineFlags.Switches.Contains(Named(word)))
                flags.Add((Named(word), words[++i]));
            else
                flags.Add((Named(word), null));
        }

        return new EngineCommand(engine, model, flags);
    }

    private static bool IsFlag(string word) => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]);

    private static string Named(string flag) => flag.Replace('_', '-');

    private static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, inside) = ('\0', false);
        for (var i = 0; i < line.Length; i++)
        {
            var letter = line[i];
            if (quote != '\0' && letter == quote)
                quote = '\0';
            else if (quote == '\0' && letter is '\'' or '"')
                (quote, inside) = (letter, true);
            else if (letter == '\\' && quote != '\'' && i + 1 < line.Length)
                word.Append(line[++i] is '\n' ? "" : line[i].ToString());
            else if (quote == '\0' && char.IsWhiteSpace(letter))
                End();
            else
                word.Append(letter);
        }

        End();
        return words;

        void End()
        {
            if (word.Length > 0 || inside)
                words.Add(word.ToString());
            word.Clear();
            inside = false;
        }
    }
}
