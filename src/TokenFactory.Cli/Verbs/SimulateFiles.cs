using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// The files that a run is asked for: opened before it, so that nothing runs in vain, and in their places only when all are whole.
/// </summary>
internal sealed class SimulateFiles : IDisposable
{
    private readonly StagedFile? _page;
    private readonly StagedFile? _intervals;
    private readonly StagedFile? _requests;

    /// <summary>Opens them.</summary>
    /// <param name="asked">Where they go.</param>
    /// <param name="read">Files that are read, which none may replace.</param>
    /// <exception cref="Refusal">One cannot be written; all mistakes at once.</exception>
    public SimulateFiles(SimulateAsked asked, IEnumerable<string?> read)
    {
        FilePlaces.Apart(read, ("--html", asked.Html), ("--intervals-csv", asked.Intervals), ("--requests-csv", asked.Requests));
        var mistakes = new List<Mistake>();
        (_page, _intervals, _requests) =
            (Open(asked.Html, "--html"), Open(asked.Intervals, "--intervals-csv"), Open(asked.Requests, "--requests-csv"));
        if (mistakes.Count > 0)
            Dispose();
        Refusal.IfAny(mistakes);
        Requests = _requests is null ? null : new SimulateRequestTable(_requests.Writer);

        StagedFile? Open(string? path, string flag)
        {
            try
            {
                return path is null ? null : StagedFile.Open(path, flag);
            }
            catch (Refusal refusal)
            {
                mistakes.AddRange(refusal.Mistakes);
                return null;
            }
        }
    }

    /// <summary>Where requests are told as they end; null where nobody asked.</summary>
    public SimulateRequestTable? Requests { get; }

    /// <summary>Writes the rest of what was asked for, and puts all in place.</summary>
    public void Keep(RunReport report)
    {
        if (_intervals is not null)
            SimulateIntervalTable.Write(report, _intervals.Writer);
        Keep(SimulatePage.Of(report));
    }

    /// <summary>Puts all in place, with a page made already.</summary>
    public void Keep(string page)
    {
        _page?.Writer.Write(page);
        foreach (var file in (StagedFile?[])[_page, _intervals, _requests])
            file?.Keep();
    }

    /// <summary>Puts all in place, with a page and the lines of a table made already.</summary>
    public void Keep(string page, IEnumerable<string> table)
    {
        foreach (var line in table)
            _intervals?.Writer.WriteLine(line);
        Keep(page);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in (StagedFile?[])[_page, _intervals, _requests])
            file?.Dispose();
    }
}
