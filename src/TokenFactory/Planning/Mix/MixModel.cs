using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Mix;

/// <summary>
/// A mix as an integer programme. Whole: replicas of each option, machines that are rented whole. Of any value: the share of each
/// bucket on each option. Rows: every bucket is served; no option serves more than its replicas can; promised work leaves its spare
/// replicas free; stocks, dollars, watts and GPUs are kept.
///
/// Spot: replicas of a pool are taken away together, so that their number is no protection: ten replicas of one pool fail as one. A
/// bucket that tolerates to be without them for less of the time than the pool is gone must then be served by the rest: for each such
/// pool there is a second set of shares, without it. Buckets that tolerate it give way. Pools go one at a time.
/// </summary>
internal sealed class MixModel
{
    private readonly MixProblem _problem;
    private readonly List<int> _options;
    private readonly List<int> _buckets;
    private readonly Dictionary<MixLimit, int> _slack = [];
    private readonly List<(int At, List<(int Variable, double Factor)> Work)> _carried = [];
    private readonly bool _search;

    /// <summary>Builds the programme.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="options">Numbers of the options to choose among.</param>
    /// <param name="elastic">Limits that may give, with what a unit costs; then only that counts. Null for the problem as it is.</param>
    public MixModel(MixProblem problem, List<int> options, IReadOnlyDictionary<MixLimit, double>? elastic = null)
    {
        (_problem, _options, _search) = (problem, options, elastic is not null);
        _buckets = [.. Enumerable.Range(0, problem.Buckets.Count).Where(i => problem.Buckets[i].RequestsPerSecond > 0)];
        foreach (var (limit, cost) in elastic ?? new Dictionary<MixLimit, double>())
        {
            var whole = limit.Kind is MixLimitKind.Stock or MixLimitKind.Gpus or MixLimitKind.Most;
            _slack[limit] = whole ? Programme.Whole(cost, name: "more") : Programme.Continuous(cost, name: "more");
        }

        Replicas = [.. options.Select(j => Programme.Whole(Cost(j), problem.Options[j].Least, Most(j), problem.Options[j].Name))];
        Machines = problem.Machines.Keys.Order(StringComparer.Ordinal).ToDictionary(stock => stock, AddMachines, StringComparer.Ordinal);
        Shares = AddShares(options, _buckets, paid: true);
        Serve();
        Carry(Shares, _buckets, 0);
        var promised = _buckets.Where(i => problem.Buckets[i].Promised).ToList();
        if (problem.Spare > 0)
            KeepSpare(promised);
        var spot = options.Where(j => problem.Options[j].Interruptible);
        foreach (var pool in spot.GroupBy(j => problem.Options[j].Domain, StringComparer.Ordinal))
            SurviveWithout([.. pool]);
        Limit();
    }

    /// <summary>The programme.</summary>
    public IntegerProgramme Programme { get; } = new();

    /// <summary>Variables: replicas of each option chosen among.</summary>
    public IReadOnlyList<int> Replicas { get; }

    /// <summary>Variables: whole machines of each stock that has them.</summary>
    public IReadOnlyDictionary<string, int> Machines { get; }

    /// <summary>Variables: share of a bucket on an option, by their numbers in the problem.</summary>
    public IReadOnlyDictionary<(int Bucket, int Option), int> Shares { get; }

    /// <summary>Rows of the limits.</summary>
    public Dictionary<MixLimit, int> Rows { get; } = [];

    /// <summary>By how much a limit gave.</summary>
    public double Given(MixLimit limit, IntegerOptimum optimum) => optimum.Values[_slack[limit]];

    /// <summary>Replicas that each option needs for its work: an answer may hold more where they cost nothing.</summary>
    public int[] Needed(IntegerOptimum optimum)
    {
        var needed = _options.Select(j => (double)_problem.Options[j].Least).ToArray();
        foreach (var (at, work) in _carried)
            needed[at] = Math.Max(needed[at], work.Sum(term => term.Factor * optimum.Values[term.Variable]));
        return [.. needed.Select((count, at) => (int)Math.Min(Math.Ceiling(count - 1e-6), Math.Round(optimum.Values[Replicas[at]])))];
    }

    private double Cost(int option) => _search ? 0
        : _problem.Objective == MixObjective.Watts ? _problem.Options[option].Watts : _problem.Options[option].UsdPerHour;

    /// <summary>More than all the work and the spare needs is of no use.</summary>
    private double Most(int option)
    {
        var choice = _problem.Options[option];
        var work = _buckets.Where(i => double.IsFinite(choice.Loads[i])).Sum(i => choice.Loads[i] * _problem.Buckets[i].RequestsPerSecond);
        var useful = Math.Max(choice.Least, Math.Ceiling(work + 1e-6) + _problem.Spare);
        var gives = _slack.ContainsKey(new MixLimit(MixLimitKind.Most, choice.Name));
        return choice.Most is { } most && !gives ? Math.Min(most, useful) : useful;
    }

    private Dictionary<(int Bucket, int Option), int> AddShares(IEnumerable<int> options, IReadOnlyList<int> buckets, bool paid)
    {
        var shares = new Dictionary<(int, int), int>();
        var earns = paid && !_search && _problem.Objective == MixObjective.Profit;
        foreach (var j in options)
        {
            foreach (var i in buckets.Where(i => double.IsFinite(_problem.Options[j].Loads[i])))
            {
                var bucket = _problem.Buckets[i];
                var revenue = earns ? 3600 * bucket.RequestsPerSecond * bucket.ValuePerRequest : 0;
                shares[(i, j)] = Programme.Continuous(-revenue, 0, 1, "share");
            }
        }

        return shares;
    }

    /// <summary>Machines that hold the GPUs of all replicas that draw on the stock.</summary>
    private int AddMachines(string stock)
    {
        var machine = _problem.Machines[stock];
        var most = _options.Sum(j => _problem.Options[j].Draw(stock) * Most(j));
        var machines = Programme.Whole(
            _search || _problem.Objective == MixObjective.Watts ? 0 : machine.UsdPerHour, 0, Math.Ceiling(most / machine.Gpus), stock);
        Programme.Row(
            _options.Select((j, at) => (Replicas[at], (double)_problem.Options[j].Draw(stock)))
                .Append((machines, -machine.Gpus)), RowSense.AtMost, 0);
        return machines;
    }

    private bool Refusable(int bucket) => _problem.Objective == MixObjective.Profit && _problem.Buckets[bucket].MayBeRefused;

    private void Serve()
    {
        foreach (var i in _buckets)
        {
            var served = Of(Shares, i).Concat(Dropped(1));
            Rows[new MixLimit(MixLimitKind.Demand, _problem.Buckets[i].Name)] =
                Programme.Row(served, Refusable(i) ? RowSense.AtMost : RowSense.Equal, 1);
        }

        if (_slack.TryGetValue(new MixLimit(MixLimitKind.Demand), out var dropped))
            Programme.Row([(dropped, 1)], RowSense.AtMost, 1);
    }

    private static IEnumerable<(int, double)> Of(IReadOnlyDictionary<(int Bucket, int Option), int> shares, int bucket) =>
        shares.Where(share => share.Key.Bucket == bucket).Select(share => (share.Value, 1.0));

    /// <summary>The share of all demand that an elastic programme drops.</summary>
    private IEnumerable<(int, double)> Dropped(double factor) =>
        _slack.TryGetValue(new MixLimit(MixLimitKind.Demand), out var dropped) ? [(dropped, factor)] : [];

    /// <summary>The buckets' work on each option, with its spare, fits its replicas.</summary>
    private void Carry(IReadOnlyDictionary<(int Bucket, int Option), int> shares, IReadOnlyList<int> buckets, int spare, int[]? used = null)
    {
        for (var at = 0; at < _options.Count; at++)
        {
            var j = _options[at];
            var work = buckets.Where(i => shares.ContainsKey((i, j)))
                .Select(i => (shares[(i, j)], _problem.Options[j].Loads[i] * _problem.Buckets[i].RequestsPerSecond)).ToList();
            if (work.Count == 0)
                continue;
            if (used is not null)
                work.Add((used[at], spare));
            _carried.Add((at, work));
            Programme.Row(work.Append((Replicas[at], -1)), RowSense.AtMost, 0);
        }
    }

    private void KeepSpare(List<int> promised)
    {
        var used = _options.Select(_ => Programme.Whole(0, 0, 1, "used")).ToArray();
        Carry(Shares, promised, _problem.Spare, used);
        for (var at = 0; at < used.Length; at++)
        {
            foreach (var i in promised.Where(i => Shares.ContainsKey((i, _options[at]))))
                Programme.Row([(Shares[(i, _options[at])], 1), (used[at], -1)], RowSense.AtMost, 0);
        }
    }

    private void SurviveWithout(List<int> pool)
    {
        var domain = _problem.Options[pool[0]].Domain;
        var gone = _problem.Options.Where(option => option.Interruptible && option.Domain == domain).Max(option => option.Unavailable);
        var strict = _buckets.Where(i => _problem.Buckets[i].LostTolerated < gone).ToList();
        if (!strict.Exists(i => pool.Exists(j => double.IsFinite(_problem.Options[j].Loads[i]))))
            return;
        var rest = AddShares(_options.Except(pool), strict, paid: false);
        foreach (var i in strict)
        {
            if (Refusable(i))
                Programme.Row(Of(rest, i).Concat(Of(Shares, i).Select(share => (share.Item1, -1.0))), RowSense.AtLeast, 0);
            else
                Programme.Row(Of(rest, i).Concat(Dropped(1)), RowSense.AtLeast, 1);
        }

        Carry(rest, strict, 0);
    }

    private void Limit()
    {
        foreach (var (stock, gpus) in _problem.Stocks.OrderBy(stock => stock.Key, StringComparer.Ordinal))
        {
            var single = _problem.Machines.ContainsKey(stock) ? [] : Of(option => option.Draw(stock));
            var whole = Machines.Where(pair => (_problem.Machines[pair.Key].Stock ?? pair.Key) == stock)
                .Select(pair => (pair.Value, (double)_problem.Machines[pair.Key].Gpus));
            AtMost(new MixLimit(MixLimitKind.Stock, stock), [.. single, .. whole], gpus);
        }

        var rented = Machines.Select(pair => (pair.Value, _problem.Machines[pair.Key].UsdPerHour));
        AtMost(new MixLimit(MixLimitKind.UsdPerHour), [.. Of(option => option.UsdPerHour), .. rented], _problem.MostUsdPerHour);
        AtMost(new MixLimit(MixLimitKind.Watts), option => option.Watts, _problem.MostWatts);
        AtMost(new MixLimit(MixLimitKind.Gpus), option => option.Gpus, _problem.MostGpus);
        foreach (var limit in _slack.Keys.Where(limit => limit.Kind == MixLimitKind.Most).ToList())
            AtMost(limit, option => option.Name == limit.Key ? 1 : 0, _problem.Options.First(option => option.Name == limit.Key).Most);
    }

    private IEnumerable<(int, double)> Of(Func<MixOption, double> draw) =>
        _options.Select((j, at) => (Replicas[at], draw(_problem.Options[j])));

    private void AtMost(MixLimit limit, Func<MixOption, double> draw, double? most) => AtMost(limit, [.. Of(draw)], most);

    private void AtMost(MixLimit limit, List<(int, double)> terms, double? most)
    {
        if (most is not { } right)
            return;
        Rows[limit] = Programme.Row(_slack.TryGetValue(limit, out var more) ? terms.Append((more, -1)) : terms, RowSense.AtMost, right);
    }
}
