namespace TokenFactory.Planning;

/// <summary>
/// The least that a limit must be so that a fleet keeps the promises in the twin as well: the closed form's least may be too little. Each
/// limit is moved up by itself until a plan is found; what that plan uses is the answer.
/// </summary>
/// <param name="ask">What is asked.</param>
/// <param name="solve">Plans for a changed ask.</param>
internal sealed class LeastThatWorks(PlanAsk ask, Func<PlanAsk, Finalist?> solve)
{
    private const double Growth = 1.3;
    private const int MostRounds = 7;
    private const int Finalists = 2;

    /// <summary>
    /// A fleet within all limits after all: one that the closed form thinks too small, and the twin does not. Null where none was met.
    /// </summary>
    public Finalist? Within { get; private set; }

    /// <summary>Obstacles as the closed form sees them, with what works in the twin.</summary>
    public IReadOnlyList<Infeasibility> Of(IReadOnlyList<Infeasibility> obstacles) => ask.TwinRequests == 0
        ? obstacles
        : [.. obstacles.Select(one => IsLimit(one) && one.Needed is { } needed ? Proven(one, needed) ?? one : one)];

    /// <summary>Limits that keep a fleet too small for the twin, where the closed form sees one within them.</summary>
    public IEnumerable<Infeasibility> Hidden() => solve(Free()) is null ? [] : Limits()
        .Select(one => Proven(one, one.Obstacle == Obstacle.Stock ? one.Given + 1 : one.Given * Growth)).OfType<Infeasibility>();

    private PlanAsk Free() => ask with
    {
        Finalists = Finalists,
        Limits = new PlanLimits(),
        Supplies = [.. ask.Supplies.Select(supply => supply.Sunk ? supply : supply with { Stock = null })],
    };

    private static bool IsLimit(Infeasibility one) => one.Obstacle is Obstacle.Budget or Obstacle.Power or Obstacle.Stock;

    private IEnumerable<Infeasibility> Limits()
    {
        if (ask.Limits.UsdPerMonth is { } usd)
            yield return new Infeasibility(Obstacle.Budget, "", "", usd, null, "");
        if (ask.Limits.MostWatts is { } watts)
            yield return new Infeasibility(Obstacle.Power, "", "", watts, null, "");
        if (ask.Limits.Gpus is { } gpus)
            yield return new Infeasibility(Obstacle.Stock, "", "", gpus, null, "");
        foreach (var supply in ask.Supplies.Where(supply => supply.Stock is not null && !supply.Sunk).DistinctBy(supply => supply.StockKey))
            yield return new Infeasibility(Obstacle.Stock, "", "", supply.Stock!.Value, null, supply.StockKey);
    }

    private Infeasibility? Proven(Infeasibility one, double start)
    {
        var most = start;
        for (var round = 0; round < MostRounds; round++)
        {
            if (solve(With(one, most)) is { } fleet)
            {
                Within ??= Used(one, fleet) <= one.Given ? fleet : null;
                return one with { Needed = Used(one, fleet) };
            }

            most = one.Obstacle == Obstacle.Stock ? Math.Max(most + 1, Math.Ceiling(most * Growth)) : most * Growth;
        }

        return null;
    }

    private PlanAsk With(Infeasibility one, double most)
    {
        var changed = ask with { Finalists = Finalists };
        return one.Obstacle switch
        {
            Obstacle.Budget => changed with { Limits = ask.Limits with { UsdPerMonth = most } },
            Obstacle.Power => changed with { Limits = ask.Limits with { FacilityWatts = most, CarbonKgPerMonth = null } },
            _ when one.On.Length == 0 => changed with { Limits = ask.Limits with { Gpus = (int)most } },
            _ => changed with
            {
                Supplies = [.. ask.Supplies.Select(supply => supply.StockKey == one.On ? supply with { Stock = (int)most } : supply)],
            },
        };
    }

    private static double Used(Infeasibility one, Finalist fleet) => one.Obstacle switch
    {
        Obstacle.Budget => fleet.MarginalUsdPerHour * PlanLimits.HoursPerMonth,
        Obstacle.Power => fleet.FullWatts,
        _ when one.On.Length == 0 => fleet.Gpus,
        _ => fleet.Bought.Where(bought => bought.Supply.StockKey == one.On).Sum(bought => bought.Paid),
    };
}
