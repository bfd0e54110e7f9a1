using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads one deployment and its load from flags and YAML; every mistake is noted with its setting.</summary>
internal sealed class PredictInput(Terms terms, CatalogContents catalog)
{
    /// <summary>Tokens of a prompt, and of its answer, where the user leaves them out.</summary>
    public const double DefaultTokens = 1024;

    /// <summary>Requests at once where the user leaves the load out.</summary>
    public const double DefaultConcurrency = 32;

    private const double MostTokens = DeploymentInput.MostTokens;
    private const double MostRequests = DeploymentInput.MostRequests;

    private static readonly string[] PrefillKeys = ["prefill_replicas", "prefill_tp", "prefill_ep", "prefill_attention_dp"];

    private readonly List<string> _assumed = [];

    /// <summary>What is asked; null where a mistake was noted without which there is nothing to ask.</summary>
    public PredictRequest? Read()
    {
        var deployment = new DeploymentInput(terms, catalog, _assumed);
        var one = deployment.Read();
        var load = Load(deployment.Model);
        var pool = deployment.Pool("tp", "ep", "attention_dp", "replicas");
        var prefill = PrefillKeys.Any(key => terms.Of(key) is not null)
            ? deployment.Pool("prefill_tp", "prefill_ep", "prefill_attention_dp", "prefill_replicas")
            : null;
        var price = terms.Number("usd_per_gpu_hour")?.Select(value => new UsdPerHour(value));
        return one is null
            ? null
            : new PredictRequest
            {
                One = one,
                Pipeline = one.Parallelism.Pipeline,
                Pool = pool,
                Prefill = prefill,
                Load = load,
                Cache = deployment.CacheFormat,
                PerGpuHour = price,
                Assumed = _assumed,
            };
    }

    private Load Load(ModelShape? model)
    {
        var input = terms.Number("input_tokens", 1, MostTokens)?.Value ?? Assume("input_tokens", DefaultTokens);
        var output = terms.Number("output_tokens", 1, MostTokens)?.Value ?? Assume("output_tokens", DefaultTokens);
        if (terms.Of("concurrency") is { } both && terms.Of("requests_per_second") is not null)
            both.Note("concurrency", "contradicts requests_per_second", "Give the requests at once or their rate");
        var rate = terms.Number("requests_per_second", double.Epsilon, MostRequests)?.Value;
        var clients = terms.Number("concurrency", 1, MostRequests)?.Value;
        var variation = terms.Number("arrival_cv", 0, 100)?.Value;
        if (terms.Of("arrival_cv") is { } cv && terms.Of("requests_per_second") is null)
            cv.Note("arrival_cv", "says how evenly absent requests arrive", "Give requests_per_second too");
        if (rate is null && clients is null)
            clients = Assume("concurrency", DefaultConcurrency);
        if (model?.MaxContextTokens?.Value is { } most && input + output > most)
            _assumed.Add($"a context of {input + output:N0} tokens, although {model.Key} is made for {most:N0}");
        return new Load
        {
            Arrival = rate is null ? Arrival.ClosedLoop : Arrival.OpenLoop,
            InputTokens = input,
            OutputTokens = output,
            Concurrency = clients,
            RequestsPerSecond = rate,
            ArrivalVariability = variation ?? 1,
            CachedShare = terms.Number("cached_share", 0, 1)?.Value ?? 0,
            SharedPrefixTokens = terms.Number("shared_prefix_tokens", 0, input)?.Value ?? 0,
        };
    }

    private double Assume(string key, double value)
    {
        if (terms.Of(key) is null)
            _assumed.Add($"{key} {value:0}");
        return value;
    }

}
