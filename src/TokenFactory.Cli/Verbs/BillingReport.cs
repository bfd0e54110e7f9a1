using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers billing: the split of least cost, what it saves, and what a wrong forecast costs.</summary>
internal static class BillingReport
{
    private static readonly double[] Errors = [-0.5, -0.2, -0.1, 0, 0.1, 0.2, 0.5];

    public static Report Of(BillingRequest request)
    {
        var menu = request.Menu;
        var plan = BillingSplit.Best(request.Demand, menu);
        var onDemandOnly = BillingSplit.Best(request.Demand, new PriceMenu(menu.OnDemand, null, [])).Cost;
        return new Report(
            "billing",
            [.. Answer(request, plan, onDemandOnly)],
            [Plan(request, plan), Alternatives(request, plan, onDemandOnly), Regret(request, menu, plan), Thresholds(request)],
            [.. Notes(request, plan)]);
    }

    private static IEnumerable<string> Answer(BillingRequest request, BillingPlan plan, BillingCost onDemandOnly)
    {
        var parts = plan.Commitments
            .Select(c => $"commit to {Gpus(c.Gpus)} {(c.Gpus == 1 ? "GPU" : "GPUs")} "
                + $"({c.Commitment.Name}{Guess(request, c.Commitment.Name)})")
            .ToList();
        if (plan.Cost.OnDemandGpuHours > 0)
            parts.Add($"run {Spell.Number(plan.Cost.OnDemandGpuHours)} GPU-hours on demand");
        if (plan.Cost.SpotGpuHours > 0)
            parts.Add($"run {Spell.Number(plan.Cost.SpotGpuHours)} GPU-hours on spot");
        var saved = 1 - (double)(plan.Cost.Total.Value / onDemandOnly.Total.Value);
        var comparison = saved > 0.0005
            ? $"{Spell.Percent(saved)} less than all on demand ({Money(onDemandOnly.Total)})"
            : "the same as all on demand";
        yield return $"For {request.DemandText}: {string.Join(", ", parts)}. "
            + $"That costs {Money(plan.Cost.Total)} over {request.Hours:N0} hours, {comparison}.";
        yield return Why(request);
    }

    /// <summary>The arithmetic behind the recommendation, in a sentence.</summary>
    private static string Why(BillingRequest request)
    {
        var use = request.MeanGpus / request.PeakGpus;
        var onDemand = request.OnDemand.PerGpu.Value;
        var said = new List<string> { $"The load is {Spell.Percent(use)} of its peak on average" };
        if (request.Reserved.MinBy(price => price.PerGpu.Value.Value) is { } reserved)
        {
            var breakEven = BreakEven.ReservedUtilisation(reserved.PerGpu.Value, onDemand);
            said.Add(
                $"a reserved GPU ({reserved.Billing.Text()}, {Dollars(reserved.PerGpu.Value)}) pays from {Spell.Percent(breakEven)} use "
                + $"against on-demand ({Dollars(onDemand)})");
        }

        if (request.Spot is { } spot)
        {
            var pays = spot.Effective.Value < onDemand ? "pays" : "does not pay";
            said.Add(
                $"spot costs {Dollars(spot.Effective.Value)} per useful hour with its restarts and {pays}, "
                + "for work that may be interrupted");
        }

        return string.Join("; ", said) + ".";
    }

    private static Section Plan(BillingRequest request, BillingPlan plan)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        foreach (var committed in plan.Commitments)
        {
            var price = request.Reserved.First(r => r.Billing.Text() == committed.Commitment.Name);
            var paidHours = committed.Gpus * request.Hours;
            var gpus = Cell.Of(new Sourced<double>(committed.Gpus, price.PerGpu.From), g => (g, Gpus(g)));
            var cost = committed.Commitment.Fixed * TimeSpan.FromHours(request.Hours) * (decimal)committed.Gpus;
            rows.Add(Row(price, price.PerGpu, gpus, paidHours, cost, plan));
        }

        if (plan.Cost.OnDemandGpuHours > 0)
            rows.Add(Row(request.OnDemand, request.OnDemand.PerGpu, Cell.None, plan.Cost.OnDemandGpuHours, plan.Cost.OnDemand, plan));
        if (plan.Cost.SpotGpuHours > 0 && request.Spot is { } spot)
            rows.Add(Row(spot.Listed, spot.Effective, Cell.None, plan.Cost.SpotGpuHours, plan.Cost.Spot, plan));
        return new Section(
            "plan", $"The split of least cost ({request.Gpu})",
            [
                new Column("billing", "billing", Number: false), new Column("provider", "provider", 1, Number: false),
                new Column("gpus_committed", "GPUs"), new Column("usd_per_gpu_hour", "$/GPU-h", 2),
                new Column("gpu_hours", "GPU-hours", 1), new Column("usd", "$"), new Column("share_of_cost", "share", 3),
            ],
            rows);
    }

    private static List<Cell> Row(MenuPrice price, Sourced<UsdPerHour> paid, Cell gpus, double gpuHours, Usd cost, BillingPlan plan) =>
    [
        Cell.Of(price.Billing.Text()), Cell.Of(price.Provider), gpus,
        Cell.Of(paid, Spell.Of) is var cell && price.Stale ? cell with { Text = cell.Text + "*" } : cell,
        new Cell(gpuHours, Spell.Number(gpuHours)),
        Cell.Of(new Sourced<Usd>(cost, paid.From), Spell.Of),
        new Cell((double)(cost.Value / plan.Cost.Total.Value), Spell.Percent((double)(cost.Value / plan.Cost.Total.Value))),
    ];

    private static Section Alternatives(BillingRequest request, BillingPlan plan, BillingCost onDemandOnly)
    {
        var menu = request.Menu;
        var rows = new List<(string Name, BillingCost Cost)> { ("the split above", plan.Cost), ("all on demand", onDemandOnly) };
        if (request.Spot is not null && request.Demand.Any(span => span.InterruptibleGpus > 0))
            rows.Add(("on demand, interruptible work on spot", BillingSplit.Cost(request.Demand, menu, [])));
        foreach (var commitment in menu.Commitments)
        {
            var peak = new Committed(commitment, request.PeakGpus);
            rows.Add(($"peak on {commitment.Name}", BillingSplit.Cost(request.Demand, menu, [peak])));
        }

        return new Section(
            "alternatives", "Against the plain ways to pay",
            [
                new Column("way", "way", Number: false), new Column("usd", "$"), new Column("change_against_on_demand", "vs on demand"),
                new Column("usd_per_used_gpu_hour", "$/used GPU-h", 1), .. TokenColumn(request),
            ],
            [.. rows.Select(row => Alternative(request, row.Name, row.Cost, onDemandOnly))]);
    }

    private static List<Cell> Alternative(BillingRequest request, string name, BillingCost cost, BillingCost onDemandOnly)
    {
        var usedHours = request.MeanGpus * request.Hours;
        var perUsed = (double)cost.Total.Value / usedHours;
        var change = (double)(cost.Total.Value / onDemandOnly.Total.Value) - 1;
        List<Cell> cells =
        [
            Cell.Of(name),
            new Cell((double)cost.Total.Value, Money(cost.Total)),
            new Cell(change, Spell.Change(change)),
            new Cell(perUsed, Spell.Dollars(perUsed)),
        ];
        if (request.MillionTokens is { } millions and > 0)
        {
            var perMillion = (double)cost.Total.Value / millions;
            cells.Add(new Cell(perMillion, Spell.Dollars(perMillion)));
        }

        return cells;
    }

    private static IEnumerable<Column> TokenColumn(BillingRequest request) =>
        request.MillionTokens is null or 0 ? [] : [new Column("usd_per_million_tokens", "$/M tok", 1)];

    private static Section Regret(BillingRequest request, PriceMenu menu, BillingPlan plan)
    {
        var none = new BillingPlan([], plan.Cost);
        var flexible = BillingSplit.Regret(request.Demand, menu, none, Errors);
        var rows = BillingSplit.Regret(request.Demand, menu, plan, Errors)
            .Select((regret, i) => (IReadOnlyList<Cell>)
            [
                new Cell(regret.Error, regret.Error == 0 ? "as forecast" : Spell.Change(regret.Error)),
                new Cell((double)regret.Plan.Value, Money(regret.Plan)),
                new Cell((double)regret.Best.Value, Money(regret.Best)),
                new Cell((double)regret.Regret.Value, Money(regret.Regret)),
                new Cell(
                    (double)(regret.Regret.Value / regret.Best.Value),
                    Spell.Percent((double)(regret.Regret.Value / regret.Best.Value))),
                new Cell((double)flexible[i].Regret.Value, Money(flexible[i].Regret)),
            ])
            .ToList();
        return new Section(
            "regret", "If demand comes out differently",
            [
                new Column("demand_error", "demand"),
                new Column("plan_usd", "this split $", 2),
                new Column("best_usd", "best in hindsight $", 2),
                new Column("regret_usd", "regret $"),
                new Column("regret_share", "regret"),
                new Column("regret_without_commitment_usd", "regret without commitment $", 1),
            ],
            rows);
    }

    /// <summary>From which use each commitment pays, against on-demand alone.</summary>
    private static Section Thresholds(BillingRequest request) => new(
        "break_even", "Where a commitment pays, against on-demand alone",
        [
            new Column("billing", "billing", Number: false), new Column("provider", "provider", 2, Number: false),
            new Column("usd_per_gpu_hour", "$/GPU-h"), new Column("break_even_utilisation", "breaks even at use"),
            new Column("demand_percentile", "commit to percentile of demand", 1), new Column("price_note", "price", 3, Number: false),
        ],
        [.. request.Reserved.Select(price => Threshold(price, request.OnDemand.PerGpu))]);

    private static IReadOnlyList<Cell> Threshold(MenuPrice price, Sourced<UsdPerHour> onDemand)
    {
        var listed = Cell.Of(price.PerGpu, Spell.Of);
        return
        [
            Cell.Of(price.Billing.Text()), Cell.Of(price.Provider), price.Stale ? listed with { Text = listed.Text + "*" } : listed,
            Cell.Of(price.PerGpu.With(onDemand, BreakEven.ReservedUtilisation), u => (u, u > 1 ? "never" : Spell.Percent(u))),
            Cell.Of(price.PerGpu.With(onDemand, BreakEven.CommitmentQuantile), q => (q.Value * 100, $"P{q.Value * 100:0}")),
            Cell.Of(price.PerGpu.From.Kind == SourceKind.Estimated ? price.PerGpu.Note ?? "estimated" : "listed"),
        ];
    }

    private static IEnumerable<string> Notes(BillingRequest request, BillingPlan plan)
    {
        if (request.Spot is { } spot)
        {
            yield return $"Spot {Dollars(spot.Listed.PerGpu.Value)} listed ({spot.Listed.Provider}), "
                + $"{Dollars(spot.Effective.Value)} effective: {spot.Arithmetic}.";
        }

        if (request.Spot is null || request.Demand.All(span => span.InterruptibleGpus == 0))
            yield return "Spot serves only work that may be interrupted: give --interruptible, or interruptible_gpus in the CSV.";
        if (request.Reserved.Prepend(request.OnDemand).Append(request.Spot?.Listed).Any(price => price is { Stale: true }))
        {
            yield return $"* Price may be older than {Offer.FreshDays} days on {request.Today:yyyy-MM-dd}: "
                + "bring fresh ones with 'catalog import-prices'.";
        }

        if (plan.Commitments.Any(committed => committed.Commitment.Name == Billing.Reserved3Year.Text()))
            yield return "A three-year price beside a shorter forecast assumes that demand lasts; "
                + "the regret table is what it costs when it does not.";
    }

    /// <summary>Says so where the price of a commitment is nobody's offer.</summary>
    private static string Guess(BillingRequest request, string name) =>
        request.Reserved.First(price => price.Billing.Text() == name) is { Provider: not "given", PerGpu.From.Kind: SourceKind.Estimated }
            ? ", at an estimated price: get an offer"
            : "";

    private static string Gpus(double gpus) => gpus == Math.Floor(gpus) ? gpus.ToString("N0") : gpus.ToString("0.0");

    private static string Dollars(UsdPerHour price) => Spell.Dollars(price.Value);

    private static string Money(Usd amount) => Spell.Dollars((double)amount.Value);
}
