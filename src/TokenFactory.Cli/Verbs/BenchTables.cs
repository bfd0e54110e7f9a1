using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Gateway.Load;

namespace TokenFactory.Cli.Verbs;

/// <summary>A row per request.</summary>
internal static class BenchRows
{
    public const string Header =
        "request,class,outcome,due_s,sent_s,first_token_s,ended_s,prompt_tokens,cached_tokens,output_tokens,ttft_ms,tpot_ms,kept";

    public static string Line(LoadRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Id},{Csv(row.Class)},{Csv(row.Outcome)},{row.Due:0.######},{row.Sent:0.######},"
        + $"{row.FirstToken:0.######},{row.Ended:0.######},{row.PromptTokens},{row.CachedTokens},{row.OutputTokens},"
        + $"{row.Ttft * 1e3:0.###},{row.Tpot * 1e3:0.####},{(row.Kept ? 1 : 0)}");

    /// <summary>A field, in quotes where it holds a comma or a quote.</summary>
    public static string Csv(string text) =>
        text.AsSpan().IndexOfAny(",\"\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>A table of runs, a row each, with the columns that 'calibrate --from' reads. A file that is there is added to.</summary>
internal sealed class BenchSummary
{
    private const string Header =
        "row_id,dataset,date,model_key,model,gpu_key,gpu,gpu_count,tp,precision_key,engine,workload,input_len_tok,"
        + "output_len_tok,len_kind,load_kind,concurrency,request_rate_rps,output_tok_s_total,total_tok_s_per_gpu,"
        + "ttft_mean_ms,ttft_p99_ms,tpot_mean_ms,tpot_p50_ms,mode,source";

    private readonly string _path;
    private readonly string _before;
    private readonly CatalogContents _catalog;

    /// <summary>Looks at the file before anything is sent.</summary>
    /// <exception cref="Refusal">It is a table of other columns.</exception>
    public BenchSummary(string path, CatalogContents catalog)
    {
        (_path, _catalog) = (path, catalog);
        _before = File.Exists(path) ? Input.Files.Text(path) : "";
        if (_before.Length > 0 && _before.Split('\n')[0].TrimEnd('\r') != Header)
            throw new Refusal(path, "is a table of other columns", "Name another file with --summary");
    }

    /// <summary>Adds a run.</summary>
    public void Add(BenchAsked asked, string model, LoadReport report, DateTimeOffset now)
    {
        var text = _before.Length > 0 ? _before.TrimEnd() + "\n" : Header + "\n";
        Input.Files.Write(_path, text + Line(asked, model, report, now, Id(now)) + "\n", "--summary");
    }

    private string Id(DateTimeOffset now)
    {
        var id = now.ToString("'bench-'yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        for (var (free, number) = (id, 2); ; free = $"{id}-{number++}")
        {
            if (!_before.Contains($"\n{free},", StringComparison.Ordinal))
                return free;
        }
    }

    private string Line(BenchAsked asked, string model, LoadReport report, DateTimeOffset now, string id)
    {
        var (all, seconds, what) = (report.All, Math.Max(report.Seconds, 1e-9), asked.Described);
        var gpus = what.Gpus ?? what.Tensor ?? 1;
        var completed = Math.Max(1, all.Completed);
        var concurrency = asked.Clients is { } clients
            ? clients
            : asked.Rate is null ? Math.Max(1, Math.Round(report.MeanConcurrency)) : (double?)null;
        string?[] fields =
        [
            id,
            "tokenfactory bench",
            now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            what.Model ?? _catalog.ModelNames.Find(model)?.Key,
            model,
            what.Gpu?.Key,
            what.Gpu?.Name,
            Number(gpus),
            Number(what.Tensor),
            what.Precision,
            what.Engine,
            asked.Clients is not null ? "closed loop" : "open loop",
            Number((double)all.PromptTokens / completed),
            Number((double)all.OutputTokens / completed),
            "means",
            asked.Clients is not null ? "closed_loop_concurrency" : "open_loop_rate",
            Number(concurrency),
            Number(asked.Clients is null ? asked.Rate : null),
            Number(all.OutputTokens / seconds),
            Number((all.PromptTokens + all.OutputTokens) / seconds / gpus),
            Number(all.Ttft.Count > 0 ? all.Ttft.Mean * 1e3 : null),
            Number(all.Ttft.Count > 0 ? all.Ttft.Percentile(0.99) * 1e3 : null),
            Number(all.Tpot.Count > 0 ? all.Tpot.Mean * 1e3 : null),
            Number(all.Tpot.Count > 0 ? all.Tpot.Percentile(0.5) * 1e3 : null),
            "aggregated",
            asked.Target.ToString(),
        ];
        return string.Join(',', fields.Select(field => BenchRows.Csv(field ?? "")));
    }

    private static string? Number(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture);
}
