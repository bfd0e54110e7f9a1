using System.Buffers;
using System.Globalization;
using System.Text;
using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Writes lines of comma-separated values by RFC 4180: numbers in full precision, texts quoted where they must be.</summary>
internal sealed class CsvLine(TextWriter output)
{
    private static readonly SearchValues<char> Awkward = SearchValues.Create(",\"\r\n");
    private readonly StringBuilder _line = new();
    private bool _begun;

    /// <summary>A text.</summary>
    public CsvLine Add(string text)
    {
        Separate();
        if (text.AsSpan().ContainsAny(Awkward))
            _line.Append('"').Append(text).Replace("\"", "\"\"", _line.Length - text.Length, text.Length).Append('"');
        else
            _line.Append(text);
        return this;
    }

    /// <summary>A number; nothing where there is none.</summary>
    public CsvLine Add(double? number)
    {
        Separate();
        if (number is { } value && double.IsFinite(value))
            _line.Append(CultureInfo.InvariantCulture, $"{value:R}");
        return this;
    }

    /// <summary>A whole number.</summary>
    public CsvLine Add(long number)
    {
        Separate();
        _line.Append(number);
        return this;
    }

    /// <summary>A value of a report.</summary>
    public CsvLine Add(object? value) => value switch
    {
        null => Add(""),
        string text => Add(text),
        double number => Add((double?)number),
        int number => Add((long)number),
        long number => Add(number),
        bool truth => Add(truth ? "true" : "false"),
        _ => throw new InvalidOperationException($"A table cannot hold {value}"),
    };

    /// <summary>The line is complete.</summary>
    public void End()
    {
        output.Write(_line.Append("\r\n"));
        _line.Clear();
        _begun = false;
    }

    private void Separate()
    {
        if (_begun)
            _line.Append(',');
        _begun = true;
    }
}

/// <summary>Requests as comma-separated values, one line each as it ends: a run of any length needs no more memory.</summary>
internal sealed class SimulateRequestTable
{
    private readonly CsvLine _line;

    /// <summary>Begins the table with its header.</summary>
    /// <param name="output">Where it goes; whoever opened it closes it.</param>
    public SimulateRequestTable(TextWriter output)
    {
        _line = new CsvLine(output);
        foreach (var column in Columns)
            _line.Add(column);
        _line.End();
    }

    /// <summary>The columns; times count from the beginning of the run unless their name says otherwise.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "id", "class", "tenant", "outcome", "why", "arrival_s", "dispatch_s", "first_token_s", "end_s", "ttft_s", "tpot_s", "end_to_end_s",
        "prompt_tokens", "cached_tokens", "output_tokens", "replica", "attempts", "preemptions", "step_joules_board", "usd_usage", "kept",
    ];

    /// <summary>Writes a request. Times that never came, and a replica that there was not, stay empty.</summary>
    public void Add(in RequestRow row)
    {
        var begun = row.FirstTokenSeconds >= 0;
        var whole = row.Outcome == "completed";
        _line.Add((long)row.Id).Add(row.Class).Add(row.Tenant).Add(row.Outcome).Add(SimulateSpell.Why(row.Why))
            .Add(row.ArrivalSeconds)
            .Add(row.DispatchSeconds >= 0 ? row.DispatchSeconds : (double?)null)
            .Add(begun ? row.FirstTokenSeconds : (double?)null)
            .Add(row.EndSeconds)
            .Add(begun ? row.FirstTokenSeconds - row.ArrivalSeconds : (double?)null)
            .Add(begun && whole && row.OutputTokens > 1 ? (row.EndSeconds - row.FirstTokenSeconds) / (row.OutputTokens - 1) : (double?)null)
            .Add(whole ? row.EndSeconds - row.ArrivalSeconds : (double?)null)
            .Add(row.PromptTokens).Add(row.CachedTokens).Add(row.OutputTokens);
        if (row.Replica >= 0)
            _line.Add(row.Replica);
        else
            _line.Add("");
        _line.Add(row.Attempts).Add(row.Preemptions).Add(row.Joules).Add(row.UsageUsd).Add(row.Kept ? "true" : "false").End();
    }
}

/// <summary>The stretches of a run as comma-separated values: a line for all pools, then one for each.</summary>
internal static class SimulateIntervalTable
{
    /// <summary>Writes the table.</summary>
    public static void Write(RunReport run, TextWriter output)
    {
        var requests = SimulateFigures.Stretch();
        var machines = SimulateFigures.OfPool<(IntervalPool Of, double Seconds)>(row => row.Of, row => row.Seconds);
        var line = new CsvLine(output);
        Head(line, requests.Take(2).Select(figure => figure.Head), ["pool"]);
        Head(line, requests.Skip(2).Select(figure => figure.Head), machines.Select(figure => figure.Head.Key));
        line.End();
        foreach (var stretch in run.Intervals)
        {
            Row(stretch, "all", stretch.All, requests.Skip(2).Select(figure => figure.In(stretch).Value));
            if (run.Pools.Count == 1 && stretch.Pools.Count <= 1)
                continue;
            for (var i = 0; i < stretch.Pools.Count; i++)
                Row(stretch, SimulateRates.PoolName(run, i), stretch.Pools[i], Enumerable.Repeat<object?>(null, requests.Count - 2));
        }

        void Row(IntervalReport stretch, string pool, IntervalPool its, IEnumerable<object?> counts)
        {
            line.Add(stretch.FromSeconds).Add(stretch.Seconds).Add(pool);
            foreach (var count in counts)
                line.Add(count);
            foreach (var figure in machines)
                line.Add(figure.In((its, stretch.Seconds)).Value);
            line.End();
        }
    }

    private static void Head(CsvLine line, IEnumerable<Column> columns, IEnumerable<string> more)
    {
        foreach (var name in columns.Select(column => column.Key).Concat(more))
            line.Add(name);
    }
}
