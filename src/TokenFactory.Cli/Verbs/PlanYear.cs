using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Planning;
using TokenFactory.Planning.Schedule;

namespace TokenFactory.Cli.Verbs;

/// <summary>plan with a curve of demand: what to own, reserve, run on demand and on spot, hour by hour.</summary>
internal static class PlanYear
{
    private const string Share = "share";
    private const int MostHours = 100_000;

    /// <summary>Requests per second of each service by hour, from the file that 'demand' names; null where none is named.</summary>
    /// <exception cref="Refusal">The file is wrong; all mistakes at once.</exception>
    public static IReadOnlyList<IReadOnlyList<double>>? Read(PlanRequest request, IReadOnlyList<double> means)
    {
        if (request.Demand is not { } file)
            return null;
        var mistakes = new List<Mistake>();
        var names = request.Ask.Services.Select(service => service.Name).ToList();
        var rows = CsvTable.Read(Files.Text(file), file, ["time"], [Share, .. names], mistakes);
        Refusal.IfAny(mistakes);
        if (rows.Count == 0 || rows.Count > MostHours)
            throw new Refusal(file, $"holds {rows.Count:N0} hours", $"Give a row for each hour, at most {MostHours:N0}");
        var shares = rows[0][Share].Length > 0;
        if (!shares && names.TrueForAll(name => rows[0][name].Length == 0))
            throw new Refusal(
                file,
                $"has neither a column '{Share}' nor one named after a service",
                $"Give '{Share}' (times the mean rate), or requests per second under {string.Join(", ", names)}");
        var rates = names.Select((name, i) => (IReadOnlyList<double>)[.. rows.Select(row =>
            shares ? (row.Number(Share, 0) ?? 0) * means[i] : row[name].Length == 0 ? 0 : row.Number(name, 0) ?? 0)]).ToList();
        Refusal.IfAny(mistakes);
        return rates;
    }

    /// <summary>The report with the schedule.</summary>
    public static Report With(Report report, YearPlan year)
    {
        var s = year.Schedule;
        return report with
        {
            Answer = [.. report.Answer, .. Words(year)],
            Sections = [.. report.Sections, Committed(year), Ways(year)],
            Notes =
            [
                .. report.Notes,
                $"No schedule costs less than {Spell.Dollars(s.Bound)}, {Spell.Percent(s.Gap)} below this one; "
                    + "it sizes each hour by what the twin found a replica "
                    + "to carry, and starts and stops of replicas cost nothing in it.",
                .. Binding(year),
            ],
        };
    }

    private static IEnumerable<string> Words(YearPlan year)
    {
        var (s, p) = (year.Schedule, year.Problem);
        var commit = p.Commitments.Zip(s.Committed)
            .Where(pair => pair.Second > 0)
            .Select(pair => $"{pair.Second} x {pair.First.Gpu} {pair.First.Name}").ToList();
        var against = s.AllOnDemand.Unserved == 0 && s.AllOnDemand.Cost.Total > 0
            ? $", {Spell.Percent(1 - (s.Cost.Total / s.AllOnDemand.Cost.Total))} less than with no commitment"
            : "";
        yield return $"Over {p.Hours:N0} hours of demand: commit to "
            + $"{(commit.Count > 0 ? string.Join(", ", commit) : "nothing")}, "
            + $"the rest by the hour: {Spell.Dollars(s.Cost.Total)}{against}.";
        if (s.Unserved > 0)
            yield return $"{Spell.Number(s.Unserved)} requests find no GPU: raise the stock.";
    }

    /// <summary>How a use is paid for, in words.</summary>
    public static string PaidBy(Planning.Schedule.ScheduleProblem problem, Planning.Schedule.ReplicaUse use) =>
        use.Commitment >= 0 ? problem.Commitments[use.Commitment].Name : use.Spot ? "spot" : "on-demand";

    private static Section Committed(YearPlan year)
    {
        var (s, p) = (year.Schedule, year.Problem);
        var rows = s.Uses.Select((use, u) =>
        {
            var shape = p.Shapes[use.Shape];
            var hours = s.Replicas.Sum(hour => (double)hour[u] * shape.Gpus);
            var billing = PaidBy(p, use);
            var price = use.Commitment >= 0
                ? p.Commitments[use.Commitment].Fixed
                : Price(p.Hourly.First(gpu => gpu.Gpu == shape.Gpu), use.Spot);
            return (
                shape,
                unit: year.Names[use.Shape],
                billing,
                price,
                hours,
                peak: s.Replicas.Max(hour => hour[u]) * shape.Gpus,
                busy: s.Replicas.Count(hour => hour[u] > 0));
        }).Where(row => row.hours > 0);
        return new Section(
            "year",
            "The year, by replica and billing",
            [
                new Column("service", "service", Number: false),
                new Column("replica", "replica", Number: false),
                new Column("billing", "billing", Number: false),
                new Column("usd_per_gpu_hour", "$/GPU-h"),
                new Column("gpu_hours", "GPU-hours"),
                new Column("peak_gpus", "most GPUs"),
                new Column("hours", "hours in use"),
            ],
            [
                .. rows.Select(row => (IReadOnlyList<Cell>)
                [
                    Cell.Of(row.shape.Service),
                    Cell.Of(PlanWords.Kinds(row.unit)),
                    Cell.Of(row.billing),
                    new Cell(row.price, Spell.Dollars(row.price)),
                    new Cell(row.hours, row.hours.ToString("N0", CultureInfo.InvariantCulture)),
                    new Cell(row.peak, row.peak.ToString("N0", CultureInfo.InvariantCulture)),
                    new Cell(row.busy, row.busy.ToString("N0", CultureInfo.InvariantCulture)),
                ]),
            ]);
    }

    private static double Price(HourlyGpu gpu, bool spot) => (spot ? gpu.Spot : gpu.OnDemand) ?? 0;

    /// <summary>What the prices of commitments are, and how long they bind.</summary>
    private static IEnumerable<string> Binding(YearPlan year)
    {
        if (year.Problem.Commitments.Zip(year.Schedule.Committed).Any(
            pair => pair.Second > 0 && pair.First.Name == Billing.Reserved3Year.Text()))
            yield return "A GPU that is reserved for three years is paid for three years; only the hours of the demand are counted.";
        yield return "Ways to pay for which you gave no price have the cheapest of the catalog.";
    }

    private static Section Ways(YearPlan year)
    {
        var s = year.Schedule;
        var ways = new List<(string What, ScheduleCost Cost, double Unserved)>
        {
            ("this schedule", s.Cost, s.Unserved), ("nothing committed", s.AllOnDemand.Cost, s.AllOnDemand.Unserved),
        };
        if (s.ReservePeak is { } peak)
            ways.Add(("the peak committed", peak.Cost, peak.Unserved));
        return new Section(
            "year_ways",
            "Against the plain ways to pay",
            [
                new Column("way", "way", Number: false),
                new Column("usd", "$"),
                new Column("committed_usd", "committed $", 1),
                new Column("on_demand_usd", "on demand $", 1),
                new Column("spot_usd", "spot $", 1),
                new Column("versus", "vs schedule"),
            ],
            [
                .. ways.Select(way => (IReadOnlyList<Cell>)
                [
                    Cell.Of(way.What),
                    Dollars(way.Cost.Total),
                    Dollars(way.Cost.Fixed + way.Cost.WhileUsed),
                    Dollars(way.Cost.OnDemand),
                    Dollars(way.Cost.Spot),
                    new Cell(
                        (way.Cost.Total / s.Cost.Total) - 1,
                        way.Unserved > 0 ? "not all served" : Spell.Change((way.Cost.Total / s.Cost.Total) - 1)),
                ]),
            ]);

        static Cell Dollars(double usd) => new(usd, Spell.Dollars(usd));
    }

    /// <summary>A row for each hour: GPUs by service, replica and billing.</summary>
    public static IEnumerable<string> Csv(YearPlan year)
    {
        var (s, p) = (year.Schedule, year.Problem);
        yield return "hour," + string.Join(',', s.Uses.Select(use =>
        {
            var billing = PaidBy(p, use);
            return $"{p.Shapes[use.Shape].Service} "
                + $"{PlanWords.Kinds(year.Names[use.Shape]).Replace(",", "", StringComparison.Ordinal)} "
                + $"{billing} gpus";
        }));
        for (var hour = 0; hour < s.Replicas.Count; hour++)
            yield return $"{hour}," + string.Join(',', s.Replicas[hour].Select((count, u) => count * p.Shapes[s.Uses[u].Shape].Gpus));
    }
}
