using TokenFactory.Gateway.Live;


namespace TokenFactory.Gateway.Telemetry;

/// <summary>What a model's replicas drew and were paid, and the tokens of its requests that ended, over the last minute.</summary>
/// <param name="Model">The model.</param>
/// <param name="OutputTokens">Tokens of answers.</param>
/// <param name="AllTokens">With those of prompts.</param>
/// <param name="Joules">Energy of its replicas.</param>
/// <param name="Usd">Dollars paid for them.</param>
internal readonly record struct ModelMinute(string Model, double OutputTokens, double AllTokens, double Joules, double Usd);

/// <summary>Running sums, looked at every few seconds: the difference between now and a minute ago.</summary>
internal sealed class LastMinute
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private const int Looks = 13; // twelve spans of five seconds
    private readonly Queue<Dictionary<string, ModelMinute>> _looks = new();
    private volatile IReadOnlyList<ModelMinute> _minute = [];

    /// <summary>By model; those that neither drew nor answered anything are left out.</summary>
    public IReadOnlyList<ModelMinute> Now => _minute;

    /// <summary>Looks at the sums. One caller at a time.</summary>
    public void Look(IReadOnlyList<ReplicaStatus> replicas, IEnumerable<(string Model, double Output, double All)> tokens)
    {
        var sums = tokens.Select(each => new ModelMinute(each.Model, each.Output, each.All, 0, 0))
            .ToDictionary(each => each.Model, StringComparer.Ordinal);
        foreach (var replica in replicas)
        {
            var sum = sums.GetValueOrDefault(replica.Model, new ModelMinute(replica.Model, 0, 0, 0, 0));
            sums[replica.Model] = sum with { Joules = sum.Joules + replica.Joules, Usd = sum.Usd + replica.UsdPaid };
        }

        _looks.Enqueue(sums);
        if (_looks.Count > Looks)
            _looks.Dequeue();
        var before = _looks.Peek();
        var minute = sums.Values.Select(now => Since(before.GetValueOrDefault(now.Model), now));
        _minute = [.. minute.Where(each => each.Joules + each.AllTokens > 0)];
    }

    /// <summary>Begins anew: until the next look there are no figures.</summary>
    public void Forget()
    {
        _looks.Clear();
        _minute = [];
    }

    /// <summary>The difference; a meter that began anew, as its replica did, counts from its beginning.</summary>
    private static ModelMinute Since(ModelMinute before, ModelMinute now)
    {
        var anew = now.Joules < before.Joules || now.Usd < before.Usd;
        return new ModelMinute(
            now.Model, now.OutputTokens - before.OutputTokens, now.AllTokens - before.AllTokens,
            anew ? now.Joules : now.Joules - before.Joules, anew ? now.Usd : now.Usd - before.Usd);
    }
}
