using System.Text.RegularExpressions;

namespace TokenFactory.Planning.Deploy;

/// <summary>A word of a command line: a text that reaches the program as it is, or an expression that a shell computes first.</summary>
/// <param name="Text">The text; of an expression, what the shell reads, quotes included.</param>
/// <param name="Computed">Whether it is an expression.</param>
public readonly record struct Word(string Text, bool Computed = false)
{
    /// <summary>As a POSIX shell reads it.</summary>
    public string Shell => Computed ? Text : Deploy.Shell.Quote(Text);
}

/// <summary>Quotes words for POSIX shells, for Kubernetes and for Docker Compose.</summary>
public static partial class Shell
{
    /// <summary>A word that a POSIX shell hands on unchanged.</summary>
    public static string Quote(string word) =>
        Plain().IsMatch(word) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>A command line, a flag with its value on each line.</summary>
    /// <param name="program">What is run.</param>
    /// <param name="words">Its words.</param>
    public static string Lines(IEnumerable<string> program, IReadOnlyList<Word> words)
    {
        var lines = new List<string> { string.Join(' ', program.Select(Quote)) };
        for (var i = 0; i < words.Count; i++)
        {
            var flag = IsFlag(words[i]);
            var value = flag && i + 1 < words.Count && !IsFlag(words[i + 1]);
            if (!flag && lines.Count == 1)
                lines[0] += " " + words[i].Shell;
            else
                lines.Add(value ? $"{words[i].Shell} {words[++i].Shell}" : words[i].Shell);
        }

        return string.Join(" \\\n  ", lines);
    }

    /// <summary>A word in a container's command in Kubernetes, which would replace "$(NAME)".</summary>
    public static string ForKubernetes(string word) => word.Replace("$(", "$$(", StringComparison.Ordinal);

    /// <summary>A word in a Compose file, which would replace "$NAME" and "${NAME}".</summary>
    public static string ForCompose(string word) => word.Replace("$", "$$", StringComparison.Ordinal);

    private static bool IsFlag(Word word) => !word.Computed && word.Text.StartsWith("--", StringComparison.Ordinal);

    [GeneratedRegex(@"^[A-Za-z0-9_@%+=:,./-]+\z", RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Plain();
}
