using System.Globalization;

namespace TokenFactory.Workload.Traces;

/// <summary>The columns of our own traces.</summary>
internal static class Own
{
    public static readonly string[] Required = ["arrival_s", "input_tokens", "output_tokens"];

    public static readonly string[] Optional = ["class", "tenant", "session", "turn", "max_tokens", "prefix", "answer"];

    /// <summary>The row of its fields; null after noting what is wrong.</summary>
    public static TraceRow? Row(Func<string, string?> field, long line, TraceLog log)
    {
        var before = log.MistakeCount;
        var seconds = Figures.Seconds("arrival_s", field("arrival_s"), 1, line, log);
        var input = Figures.Count("input_tokens", field("input_tokens"), 1, line, log);
        var output = Figures.Count("output_tokens", field("output_tokens"), 1, line, log);
        var turn = Given("turn") is { } which ? Figures.Count("turn", which, 0, line, log) : 0;
        var most = Given("max_tokens") is { } limit ? Figures.Count("max_tokens", limit, 0, line, log) : 0;
        var prefix = Given("prefix") is { } pieces ? Pieces(pieces, input, line, log) : [];
        if (log.MistakeCount > before)
            return null;
        if (most > 0 && output > most)
        {
            log.Note(line, $"output_tokens is {output}, more than max_tokens {most}", "Let the answer end at max_tokens, or raise it");
            return null;
        }

        return new TraceRow
        {
            Line = line,
            Seconds = seconds!.Value,
            InputTokens = input!.Value,
            OutputTokens = output!.Value,
            Class = Given("class"),
            Tenant = Given("tenant"),
            Session = Given("session"),
            Turn = turn!.Value,
            MaxTokens = most!.Value,
            Prefix = prefix,
            Answer = Given("answer") is { } answer ? Identity(answer) : 0,
        };

        string? Given(string name) => field(name) is { Length: > 0 } text ? text : null;
    }

    /// <summary>Identity of a name: a number stands for itself, anything else for its hash.</summary>
    private static ulong Identity(string name) =>
        ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : Draws.Identity(0, "content " + name);

    private static PromptSegment[] Pieces(string text, int? input, long line, TraceLog log)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var pieces = new PromptSegment[words.Length];
        long sum = 0;
        for (var i = 0; i < words.Length; i++)
        {
            var colon = words[i].LastIndexOf(':');
            var known = int.TryParse(words[i].AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var tokens);
            if (colon <= 0 || !known || tokens is < 1 or > Figures.MostTokens)
            {
                log.Note(line, $"prefix holds '{TraceFormats.Short(words[i])}'", "Write pieces as id:tokens, separated by blanks");
                return [];
            }

            pieces[i] = new PromptSegment(Identity(words[i][..colon]), tokens);
            sum += tokens;
        }

        if (input is { } most && sum > most)
            log.Note(line, $"prefix holds {sum} tokens, the prompt {most}", "Let its pieces sum to input_tokens or less");
        return pieces;
    }
}

/// <summary>Our own traces, with commas.</summary>
internal sealed class OwnCsvLines : ITraceLines
{
    private readonly List<string> _header;
    private readonly Dictionary<string, int> _columns;

    private OwnCsvLines(List<string> header)
    {
        _header = header;
        _columns = header.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);
    }

    public TraceFormat Format => TraceFormat.Csv;

    /// <summary>The reader of a header; null after noting what is wrong with it.</summary>
    public static OwnCsvLines? Of(List<string> header, long line, TraceLog log)
    {
        var before = log.MistakeCount;
        foreach (var missing in Own.Required.Except(header))
            log.Note(line, $"the column {missing} is missing", $"Required: {string.Join(", ", Own.Required)}");
        foreach (var unknown in header.Except([.. Own.Required, .. Own.Optional]))
        {
            var remedy = $"Known besides the required: {string.Join(", ", Own.Optional)}";
            log.Note(line, $"unknown column '{TraceFormats.Short(unknown)}'", remedy);
        }

        foreach (var twice in header.GroupBy(name => name).Where(group => group.Count() > 1))
            log.Note(line, $"the column {twice.Key} stands twice", "Keep one");
        return log.MistakeCount > before ? null : new OwnCsvLines(header);
    }

    public TraceRow? Row(string line, long number, TraceLog log)
    {
        var fields = CsvLine.Split(line);
        return Recorded.HasAll(fields, _header, number, log)
            ? Own.Row(name => _columns.TryGetValue(name, out var at) ? fields[at] : null, number, log)
            : null;
    }
}

/// <summary>Our own traces, as JSON lines of the same names.</summary>
internal sealed class OwnJsonLines : ITraceLines
{
    public TraceFormat Format => TraceFormat.JsonLines;

    public TraceRow? Row(string line, long number, TraceLog log)
    {
        using var document = JsonLine.Parse(line, number, log);
        if (document is null)
            return null;
        var fields = document.RootElement;
        var unknown = fields.EnumerateObject().Select(field => field.Name).Except([.. Own.Required, .. Own.Optional]).FirstOrDefault();
        if (unknown is not null)
        {
            var remedy = $"Known: {string.Join(", ", Own.Required.Concat(Own.Optional))}";
            log.Note(number, $"unknown key '{TraceFormats.Short(unknown)}'", remedy);
            return null;
        }

        return Own.Row(name => JsonLine.Text(fields, name), number, log);
    }
}
