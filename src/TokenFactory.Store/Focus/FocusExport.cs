using TokenFactory.Store.Reports;
using TokenFactory.Units;

namespace TokenFactory.Store.Focus;

/// <summary>
/// Usage as a FOCUS 1.2 file (Cost and Usage, CSV): a row per hour, tenant, model and class of tokens. BilledCost sums to what tenants were
/// charged, to the billionth of a dollar. Joules and costs of our own stand in columns that begin with x_, split over the classes as the
/// charge is.
/// </summary>
public static class FocusExport
{
    private static readonly Dimension[] By = [Dimension.Hour, Dimension.Tenant, Dimension.Model];

    /// <summary>Writes usage that ended in a span of time. Nothing is written where it would break the rules of FOCUS.</summary>
    /// <returns>Rows written, the header not counted.</returns>
    /// <exception cref="FocusException">It would break the rules.</exception>
    /// <exception cref="StoreAwayException">The store is away.</exception>
    public static async Task<int> WriteAsync(
        IUsageStore store, TextWriter output, FocusOptions options, Instant from, Instant to, CancellationToken cancel)
    {
        var sums = await store.SumUsageAsync(from, to, By, cancel);
        var rows = sums.SelectMany(sum => FocusRows.Of(sum, options)).ToList();
        using var csv = new StringWriter { NewLine = "\r\n" };
        csv.WriteLine(string.Join(',', FocusColumns.All.Select(column => column.Name)));
        foreach (var row in rows)
            csv.WriteLine(string.Join(',', FocusColumns.All.Select(column => Cell(row.GetValueOrDefault(column.Name)))));
        var text = csv.ToString();
        if (FocusCheck.Mistakes(text) is { Count: > 0 } mistakes)
            throw new FocusException(mistakes);
        await output.WriteAsync(text.AsMemory(), cancel);
        return rows.Count;
    }

    private static string Cell(string? text) =>
        text is null ? "" : text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
}
