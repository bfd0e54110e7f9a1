using System.Globalization;
using System.Text;
using TokenFactory.Engine;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Virtual;

/// <summary>The engine's figures in Prometheus text, under vLLM's names (https://docs.vllm.ai/en/latest/usage/metrics.html), and
/// joules.</summary>
internal static class EngineMetrics
{
    private static readonly double[] FirstTokenBounds =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    private static readonly double[] GapBounds =
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    private static readonly double[] WholeBounds =
        [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    /// <summary>All of them.</summary>
    public static string Text(Replica engine, EngineCounts counts, Instant now, string model)
    {
        var (load, meter) = (engine.Load(now), engine.Meter(now));
        var page = new MetricsPage(model);
        page.Gauge("vllm:num_requests_running", "Requests that the engine runs.", load.Running);
        page.Gauge("vllm:num_requests_waiting", "Requests that wait for a place.", load.Waiting);
        page.Gauge("vllm:kv_cache_usage_perc", "Share of the KV blocks that requests hold, 0 to 1.", load.KvHeld);
        page.Counter("vllm:prompt_tokens_total", "Prompt tokens of requests that have their first token.", counts.PromptTokens);
        page.Counter("vllm:generation_tokens_total", "Tokens generated.", Math.Floor(meter.OutputTokens));
        page.Counter("vllm:prefix_cache_queries_total", "Prompt tokens looked for in the prefix cache.", counts.PromptTokens);
        page.Counter("vllm:prefix_cache_hits_total", "Of them, those found.", counts.CachedTokens);
        page.Counter("vllm:num_preemptions_total", "Times that a request lost its blocks.", counts.Preemptions);
        page.Counter("vllm:request_success_total", "Requests that ended, by reason.", counts.Stopped, ("finished_reason", "stop"));
        page.Counter("vllm:request_success_total", null, counts.Cut, ("finished_reason", "length"));
        page.Counter("vllm:request_success_total", null, counts.Cancelled, ("finished_reason", "abort"));
        page.Histogram("vllm:time_to_first_token_seconds", "From arrival to the first token.", counts.FirstTokens, FirstTokenBounds);
        page.Histogram("vllm:inter_token_latency_seconds", "Between tokens.", engine.Gaps(now), GapBounds);
        page.Histogram("vllm:e2e_request_latency_seconds", "From arrival to the last token.", counts.Whole, WholeBounds);
        page.Gauge(
            "vllm:cache_config_info",
            "How the KV cache is laid out.",
            1,
            ("block_size", engine.Settings.BlockTokens.ToString(CultureInfo.InvariantCulture)),
            ("num_gpu_blocks", load.Blocks.ToString(CultureInfo.InvariantCulture)),
            ("enable_prefix_caching", engine.Settings.PrefixCaching ? "True" : "False"));
        page.Gauge("tokenfactory:kv_blocks", "KV blocks, by what they hold.", load.FreeBlocks, ("state", "free"));
        page.Gauge("tokenfactory:kv_blocks", null, load.HeldBlocks, ("state", "held"));
        page.Gauge("tokenfactory:kv_blocks", null, load.CachedBlocks, ("state", "cached"));
        var idle = engine.Model.IdleWatts * Math.Max(0, now.Seconds - meter.BusySeconds);
        page.Counter("tokenfactory:joules_total", "Joules at the boards, estimated by the model.", meter.StepJoules, ("use", "steps"));
        page.Counter("tokenfactory:joules_total", null, idle, ("use", "idle"));
        page.Counter("tokenfactory:busy_seconds_total", "Seconds in steps.", meter.BusySeconds);
        page.Gauge("tokenfactory:virtual", "1: no GPU computed any of this.", 1);
        return page.ToString();
    }

    /// <summary>A page of metrics, each with the model's name.</summary>
    private sealed class MetricsPage(string model)
    {
        private readonly StringBuilder _text = new();
        private readonly string _labels = $"model_name=\"{Escaped(model)}\",engine=\"0\"";

        public void Gauge(string name, string? help, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
            One("gauge", name, help, value, labels);

        public void Counter(string name, string? help, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
            One("counter", name, help, value, labels);

        public void Histogram(string name, string help, TimeHistogram times, double[] bounds)
        {
            Head("histogram", name, help);
            foreach (var bound in bounds)
                Line(name + "_bucket", times.CountUpTo(bound), ("le", Number(bound)));
            Line(name + "_bucket", times.Count, ("le", "+Inf"));
            Line(name + "_sum", times.Sum);
            Line(name + "_count", times.Count);
        }

        public override string ToString() => _text.ToString();

        private void One(string kind, string name, string? help, double value, ReadOnlySpan<(string Name, string Value)> labels)
        {
            if (help is not null)
                Head(kind, name, help);
            Line(name, value, labels);
        }

        private void Head(string kind, string name, string help) =>
            _text.Append("# HELP ").Append(name).Append(' ').Append(help)
                .Append("\n# TYPE ").Append(name).Append(' ').Append(kind).Append('\n');

        private void Line(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
        {
            _text.Append(name).Append('{').Append(_labels);
            foreach (var (key, text) in labels)
                _text.Append(',').Append(key).Append("=\"").Append(text).Append('"');
            _text.Append("} ").Append(Number(value)).Append('\n');
        }

        private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

        private static string Escaped(string text) =>
            text.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);
    }
}
