using System.Globalization;
using System.Text.Json;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// Reads the command line of a running engine into the keys of a pool. A flag that contradicts a key, or that nearly is one we know, is a
/// mistake; flags that do not matter, or that the twin does not know, are told.
/// </summary>
internal sealed class EngineFlagReader(Settings pool, CatalogContents catalog)
{
    /// <summary>The key of a pool that holds the command line.</summary>
    public const string Key = "engine_flags";

    private const double Gibibyte = 1024.0 * 1024 * 1024;

    private readonly List<string> _idle = [];
    private readonly List<string> _unknown = [];
    private Dictionary<string, string?> _given = new(StringComparer.Ordinal);

    /// <summary>Puts what the flags say where keys are missing.</summary>
    /// <returns>What is to be told of flags that say nothing to the twin.</returns>
    public IReadOnlyList<string> Fill()
    {
        var texts = pool.Texts(Key);
        if (texts.Count == 0)
            return [];
        var command = EngineCommand.Read(string.Join(' ', texts));
        var engine = command.Engine ?? (pool.Text("engine") is { } named ? Performance.Measured.PointInterpreter.EngineKey(named) : "vllm");
        if (!EngineFlags.Keys.TryGetValue(engine, out var keys))
        {
            pool.Note(Key, $"is of {engine}, whose flags are not known here", "Write the keys of the pool instead");
            return [];
        }

        if (command.Engine is not null)
            Set("engine", command.Engine, command.Engine);
        if (command.Model is { } model)
            Set("model", model, model);
        _given = command.Flags.GroupBy(one => one.Flag, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.Ordinal);
        foreach (var (flag, value) in _given)
        {
            if (keys.TryGetValue(flag, out var key))
                Take(engine, flag, key, value);
            else
                Leave(flag, keys);
        }

        return Told();
    }

    private void Take(string engine, string flag, string key, string? value)
    {
        if (value is null && !EngineFlags.Switches.Contains(flag))
            pool.Note(Key, $"has {flag} without a value", "Give one");
        else if (Word(engine, flag, key, value ?? "") is { } word)
            Set(key, word, $"{flag} {value}".TrimEnd());
    }

    /// <summary>The value in the words of a scenario; null where the flag says nothing there.</summary>
    private string? Word(string engine, string flag, string key, string value) => key switch
    {
        "precision" or "kv_precision" => Format(flag, value),
        "prefix_caching" => flag == "--enable-prefix-caching" ? "true" : "false",
        "ep" when flag == "--enable-expert-parallel" => Gpus(engine) > 1 ? Plain(Gpus(engine)) : null,
        "attention_dp" when engine == "sglang" => Groups(flag, value),
        "tp" when engine == "sglang" && Attends => Number(flag, value) is { } all
            ? Plain(all / Of("--dp-size", "--dp", "--data-parallel-size"))
            : null,
        "max_sequences" when engine == "vllm" => Number(flag, value) is { } each ? Plain(each * Of("--data-parallel-size", "-dp")) : null,
        "host_kv_gb" => Number(flag, value) is { } host ? Plain(host * HostUnits(engine)) : null,
        "draft_tokens" when flag == "--speculative-config" => Draft(value),
        "token_budget" when value == "-1" => NotKnown(flag),
        "role" => value is "null" ? null : value,
        "model" => value,
        _ => Number(flag, value) is { } number ? Plain(number) : null,
    };

    /// <summary>vLLM's buffer in GiB is that of an engine, SGLang's in GB that of a rank.</summary>
    private double HostUnits(string engine) => engine == "vllm"
        ? Gibibyte / 1e9 * Of("--data-parallel-size", "-dp")
        : Of("--tp-size", "--tp", "--tensor-parallel-size");

    private bool Attends => _given.ContainsKey("--enable-dp-attention");

    private double Gpus(string engine) => engine == "vllm" ? Of("--tensor-parallel-size", "-tp") * Of("--data-parallel-size", "-dp") : 1;

    /// <summary>
    /// SGLang's groups share the GPUs of its tensor parallelism where attention is data-parallel; else they are replicas.
    /// </summary>
    private string? Groups(string flag, string value)
    {
        if (flag == "--enable-dp-attention")
            return null;
        if (Attends || Number(flag, value) is not > 1)
            return value;
        pool.Note(
            Key,
            $"has {flag} {value} without --enable-dp-attention, which is {value} replicas",
            "Count them in 'replicas', and leave the flag out");
        return null;
    }

    private string? Format(string flag, string value)
    {
        switch (value.ToLowerInvariant())
        {
            case "auto" or "none" or "bfloat16" or "float16" or "half" when flag == "--dtype":
            case "auto" or "none":
                return null;
            case "fp8-e4m3" or "fp8_e4m3" or "fp8_e5m2" or "modelopt" or "w8a8_fp8" or "fbgemm_fp8":
                return "fp8";
            case "awq_marlin" or "gptq_marlin" or "awq" or "gptq":
                return "int4";
            case "modelopt_fp4" or "nvfp4":
                return "nvfp4";
            case "w8a8_int8":
                return "int8";
            case "compressed-tensors" or "compressed_tensors" or "bitsandbytes" or "gguf":
                _unknown.Add($"{flag} {value} (give 'precision': it names several)");
                return null;
            default:
                return value;
        }
    }

    private string? Draft(string value)
    {
        try
        {
            using var json = JsonDocument.Parse(value);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("num_speculative_tokens", out var tokens) && tokens.TryGetInt32(out var count))
                return Plain(count);
        }
        catch (JsonException)
        {
            pool.Note(Key, "has a --speculative-config that is not JSON", "Quote it, as a shell needs it");
            return null;
        }

        pool.Note(Key, "has a --speculative-config without num_speculative_tokens", "Give it, or draft_tokens");
        return null;
    }

    private string? NotKnown(string flag)
    {
        _unknown.Add(flag);
        return null;
    }

    /// <summary>A number as engines take it: "8192", "8k", "8K".</summary>
    private double? Number(string flag, string value)
    {
        var times = value.Length > 1 ? value[^1] switch { 'k' => 1e3, 'K' => 1024, 'm' => 1e6, 'M' => 1048576, _ => 1 } : 1;
        var digits = times > 1 ? value[..^1] : value;
        if (Plain(digits) is { } number)
            return number * times;
        pool.Note(Key, $"has {flag} {value}, which is no number", "Give one");
        return null;
    }

    /// <summary>The number that one of these flags gives; 1 where none does.</summary>
    private double Of(params string[] flags) =>
        flags.Select(flag => Plain(_given.GetValueOrDefault(flag)) ?? 0).FirstOrDefault(number => number > 0, 1);

    private static double? Plain(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    private void Leave(string flag, IReadOnlyDictionary<string, string> keys)
    {
        if (EngineFlags.NotModelled.Contains(flag))
            _unknown.Add(flag);
        else if (flag.Length > 6 && !EngineFlags.Switches.Contains(flag) && Names.Nearest(flag, keys.Keys) is { } near && Near(flag, near))
            pool.Note(Key, $"has {flag}", $"Did you mean {near}?");
        else
            _idle.Add(flag);
    }

    /// <summary>A misspelling keeps the length within two letters and both ends.</summary>
    private static bool Near(string flag, string known) =>
        known.StartsWith("--", StringComparison.Ordinal) && Math.Abs(flag.Length - known.Length) <= 2
            && flag[2] == known[2] && flag[^1] == known[^1];

    private void Set(string key, string word, string said)
    {
        if (!pool.Has(key))
        {
            pool.Fill(key, word, Key);
            return;
        }

        var text = pool.Text(key) ?? "";
        if (!Same(key, text, word))
            pool.Note(Key, $"says {said}, and '{key}' is {text}", "Say it once, or the same");
    }

    private bool Same(string key, string one, string other)
    {
        if (key == "model")
            return catalog.ModelNames.Find(one) is { } model && model == catalog.ModelNames.Find(other);
        if (key == "engine")
            return Performance.Measured.PointInterpreter.EngineKey(one) == other;
        return one == other || (Plain(one) is { } a && Plain(other) is { } b && a == b);
    }

    private List<string> Told()
    {
        var told = new List<string>();
        var name = pool.Text("name") ?? "";
        if (_unknown.Count > 0)
            told.Add($"Engine flags of {name} that the twin does not know, although they may matter: {string.Join(", ", _unknown)}.");
        if (_idle.Count > 0)
            told.Add($"Engine flags of {name} that change nothing here: {string.Join(", ", _idle)}.");
        return told;
    }

    private static string Plain(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
