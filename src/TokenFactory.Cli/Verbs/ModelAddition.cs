using System.Text.Json;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>A model read from a Hugging Face config.json, to be added to the user's catalog.</summary>
internal sealed class ModelAddition
{
    private readonly ModelShape _model;
    private readonly IReadOnlyList<string> _notUnderstood;

    private readonly bool _replaces;

    private ModelAddition(ModelShape model, IReadOnlyList<string> notUnderstood, bool replaces) =>
        (_model, _notUnderstood, _replaces) = (model, notUnderstood, replaces);

    public static ModelAddition Read(string path, string? key, string? source, CatalogContents catalog, DateOnly today)
    {
        var text = Files.Text(path);
        var name = key ?? NameFrom(path, text);
        var letters = name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-');
        var chosen = string.Concat(letters).Trim('-');
        if (chosen.Length == 0)
            throw new Refusal(path, "has no name to file it under", "Give --key NAME");
        var from = new Source(SourceKind.Datasheet, source ?? Path.GetFileName(path), SourceDate.On(today));
        var reading = HuggingFaceConfig.Read(text, chosen, from);
        var mistakes = reading.Mistakes
            .Select(mistake => mistake with { Where = mistake.Where.Replace(chosen, path, StringComparison.Ordinal) })
            .ToList();
        if (catalog.ModelNames.Find(chosen) is { } bearer && bearer.Key != chosen)
        {
            var what = $"would be '{chosen}', a name that '{bearer.Key}' bears already";
            mistakes.Add(new Mistake(path, what, "Give another name with --key"));
        }

        Refusal.IfAny(mistakes);
        return new ModelAddition(reading.Model!, reading.NotUnderstood, catalog.ModelNames.Find(chosen) is not null);
    }

    /// <summary>Writes the entry whole or not at all.</summary>
    /// <returns>The file.</returns>
    public string Write(string folder)
    {
        var path = Path.Combine(folder, "models", _model.Key + ".json");
        Files.Replace(path, ModelWriter.Write(_model));
        return path;
    }

    public Report Report(string? written)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        Row("total_parameters", _model.TotalParameters);
        Row("active_parameters", _model.ActiveParameters);
        Row("layers", _model.Layers);
        Row("hidden_size", _model.Hidden);
        Row("kv_bytes_per_token_16bit", _model.KvBytesPerToken(2));
        Row("kv_bytes_per_token_8bit", _model.KvBytesPerToken(1));
        Row("state_bytes_per_sequence", _model.StateBytes());
        var instead = _replaces ? ", in place of the entry of that name" : "";
        var done = written is null ? "Nothing was written (--dry-run)." : $"Added as '{_model.Key}'{instead}: {written}";
        return new Report(
            "catalog add-model",
            [ModelWords.Sizes(_model), done],
            [new Section("shape", "", [new Column("number", "number", Number: false), new Column("value", "value")], rows)],
            _notUnderstood.Count == 0
                ? ["Every key that matters for size and speed was understood."]
                : [.. _notUnderstood.Select(text => "Not understood: " + text)]);

        void Row(string name, long value) => rows.Add([Cell.Of(name), new Cell(value, value.ToString("N0"))]);
    }

    private static string NameFrom(string path, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("_name_or_path", out var named)
                && named.ValueKind == JsonValueKind.String
                && named.GetString() is { Length: > 0 } said)
                return said[(said.TrimEnd('/').LastIndexOf('/') + 1)..];
        }
        catch (JsonException)
        {
            // The reader reports what is wrong with the file, with its line.
        }

        var file = Path.GetFileNameWithoutExtension(path);
        return file == "config" ? Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))) ?? file : file;
    }
}
