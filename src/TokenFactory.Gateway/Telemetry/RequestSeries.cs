using System.Collections.Concurrent;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Series of one tenant and model, found once and kept.</summary>
internal sealed class TenantSeries(GatewayFamilies families, string tenant, string model)
{
    private static readonly string[] Outcomes = ["completed", "cancelled", "failed"];
    private readonly SumSeries _fresh = families.Tokens.Of(tenant, model, "fresh");
    private readonly SumSeries _cached = families.Tokens.Of(tenant, model, "cached");
    private readonly SumSeries _output = families.Tokens.Of(tenant, model, "output");
    private readonly SumSeries _reasoning = families.Reasoning.Of(tenant, model);
    private readonly SumSeries _charged = families.Charged.Of(tenant, model);
    private readonly SumSeries _usage = families.Cost.Of(tenant, model, "usage");
    private readonly SumSeries _allocation = families.Cost.Of(tenant, model, "allocation");
    private readonly ConcurrentDictionary<(Outcome, int), SumSeries> _requests = [];
    private readonly ConcurrentDictionary<(string At, string From), SumSeries> _energy = [];

    public void Add(UsageRecord record, int status)
    {
        var tokens = record.Tokens;
        _fresh.Add(tokens.Fresh);
        _cached.Add(tokens.Cached);
        _output.Add(tokens.Output);
        _reasoning.Add(tokens.Reasoning);
        _charged.Add((double)record.Charged.Value);
        _usage.Add((double)record.UsageCost.Value);
        _allocation.Add((double)record.AllocationCost.Value);
        var end = (record.Outcome, status);
        if (!_requests.TryGetValue(end, out var requests))
            requests = _requests.GetOrAdd(end, families.Requests.Of(tenant, model, Outcomes[(int)record.Outcome], $"{status}"));
        requests.Add(1);
        var source = (record.JoulesAt, record.JoulesFrom);
        if (!_energy.TryGetValue(source, out var energy))
            energy = _energy.GetOrAdd(source, families.Energy.Of(tenant, model, source.JoulesAt, source.JoulesFrom));
        energy.Add(record.Joules);
    }
}

/// <summary>Series of one model and operation, found once and kept.</summary>
internal sealed class ModelSeries
{
    /// <summary>The standard's error.type, by outcome; empty for none.</summary>
    private static readonly string[] Errors = ["", "cancelled", "failed"];

    /// <summary>By outcome.</summary>
    private readonly HistogramSeries[] _duration;

    private readonly HistogramSeries _firstToken;
    private readonly HistogramSeries _eachToken;
    private readonly HistogramSeries _input;
    private readonly HistogramSeries _output;

    public ModelSeries(GatewayFamilies families, string model, string endpoint)
    {
        const string Provider = "tokenfactory";
        var operation = endpoint switch { "completions" => "text_completion", "embeddings" => "embeddings", _ => "chat" };
        _duration = [.. Errors.Select(error => families.Duration.Of(operation, Provider, model, error))];
        _firstToken = families.FirstToken.Of(operation, Provider, model);
        _eachToken = families.EachToken.Of(operation, Provider, model);
        _input = families.TokenUsage.Of(operation, Provider, model, "input");
        _output = families.TokenUsage.Of(operation, Provider, model, "output");
    }

    public void Add(UsageRecord record)
    {
        _duration[(int)record.Outcome].Record((record.Ended - record.Arrival).Seconds);
        _input.Record(record.Tokens.Prompt);
        _output.Record(record.Tokens.Output);
        if (record.FirstToken is not { } first)
            return;
        _firstToken.Record((first - record.Arrival).Seconds);
        if (record.Outcome == Outcome.Completed && record.Tokens.Output > 1)
            _eachToken.Record((record.Ended - first).Seconds / (record.Tokens.Output - 1));
    }
}

/// <summary>Tokens of a model's requests that ended, since the start.</summary>
internal sealed class ModelTokens
{
    private long _output;
    private long _all;

    public long Output => Volatile.Read(ref _output);

    public long All => Volatile.Read(ref _all);

    public void Add(TokenCounts tokens)
    {
        Interlocked.Add(ref _output, tokens.Output);
        Interlocked.Add(ref _all, tokens.Prompt + tokens.Output);
    }
}
