using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>A recorded trace of the user's: its file, what is made of it, and what a check of it found.</summary>
/// <param name="Path">The file.</param>
/// <param name="Options">What is made of it.</param>
/// <param name="Contents">What it holds.</param>
internal sealed record WorkloadTrace(string Path, TraceOptions Options, TraceContents Contents)
{
    /// <summary>Its lines, read as they are asked for.</summary>
    public IEnumerable<string> Lines() => LinesOf(Path);

    /// <summary>Its rows as they are sent.</summary>
    public IEnumerable<TraceRow> Rows(ulong seed) => TraceReader.Rows(Lines(), new TraceLog()).Shaped(Options, seed);

    /// <summary>
    /// The trace of a file with speedup, scale, slice_s, slice_rows, class and tenant as the settings say, read through once. Null after
    /// noting every mistake of the settings and of the file.
    /// </summary>
    public static WorkloadTrace? Read(Settings settings, string path, List<Mistake>? mistakes = null)
    {
        var before = settings.Mistakes.Count;
        var options = Shape(settings);
        var contents = settings.Mistakes.Count == before ? Checked(path, options, mistakes ?? settings.Mistakes) : null;
        return contents is null ? null : new WorkloadTrace(path, options, contents);
    }

    /// <summary>The lines of a file; the path was seen to be readable.</summary>
    /// <exception cref="Refusal">It cannot be read.</exception>
    public static IEnumerable<string> LinesOf(string path)
    {
        using var reader = Files.Reader(path);
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    /// <summary>Mistakes of a trace as mistakes of its file.</summary>
    public static IEnumerable<Mistake> Named(string path, IEnumerable<TraceMistake> mistakes) =>
        mistakes.Select(mistake => new Mistake(mistake.Line > 0 ? $"{path}:{mistake.Line}" : path, mistake.What, mistake.Remedy));

    private static TraceContents? Checked(string path, TraceOptions options, List<Mistake> mistakes)
    {
        try
        {
            var contents = TraceCheck.Of(LinesOf(path), options);
            mistakes.AddRange(Named(path, contents.Mistakes));
            if (contents.MistakeCount > contents.Mistakes.Count)
                mistakes.Add(new Mistake(path, $"holds {contents.MistakeCount:N0} mistakes in all", "Mend the first, then ask again"));
            return contents.MistakeCount == 0 ? contents : null;
        }
        catch (Refusal refusal)
        {
            mistakes.AddRange(refusal.Mistakes);
            return null;
        }
    }

    private static TraceOptions Shape(Settings settings)
    {
        const double mostRow = 1e12;
        var (from, to) = Range(settings, "slice_s", 0, 0, double.PositiveInfinity);
        var (first, last) = Range(settings, "slice_rows", 1, 1, mostRow);
        return new TraceOptions
        {
            Speedup = settings.Number("speedup") ?? 1,
            Scale = settings.Number("scale", double.Epsilon, TraceOptions.MostScale) ?? 1,
            FromSeconds = from,
            ToSeconds = to,
            FromRow = (long)first,
            ToRow = (long)last,
            Class = settings.Text("class"),
            Tenant = settings.Text("tenant"),
        };
    }

    /// <summary>"600..1200", "600.." or "..1200".</summary>
    private static (double From, double To) Range(Settings settings, string key, double least, double from, double to)
    {
        if (settings.Text(key) is not { } text)
            return (from, to);
        var ends = text.Split("..");
        if (ends.Length == 2 && End(ends[0], from) is { } first && End(ends[1], to) is { } last && first >= least && last > first - least)
            return (first, last);
        settings.Note(key, $"is '{text}'", "Give a range such as 600..1200, 600.. or ..1200");
        return (from, to);

        static double? End(string end, double otherwise) =>
            end.Length == 0 ? otherwise
            : double.TryParse(end, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
            : null;
    }
}
