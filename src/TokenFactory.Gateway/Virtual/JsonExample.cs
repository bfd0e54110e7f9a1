using System.Text.Json;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Makes small JSON objects that fit a schema, so far as it names types, enumerations and required fields.</summary>
internal static class JsonExample
{
    /// <summary>An object where no schema says what is in it.</summary>
    public const string Any = "{\"answer\": \"The quiet engine finds a clear answer.\"}";

    private const int MostDepth = 16;

    /// <summary>One that fits.</summary>
    public static string Of(JsonElement schema)
    {
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text))
            Write(writer, schema, schema, 0);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, JsonElement schema, JsonElement root, int depth)
    {
        schema = Followed(schema, root);
        if (depth > MostDepth || schema.ValueKind != JsonValueKind.Object)
            writer.WriteNullValue();
        else if (schema.TryGetProperty("const", out var only))
            only.WriteTo(writer);
        else if (schema.TryGetProperty("enum", out var choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0)
            choices[0].WriteTo(writer);
        else if (Branch(schema) is { } branch)
            Write(writer, branch, root, depth + 1);
        else
            WriteTyped(writer, TypeOf(schema), schema, root, depth);
    }

    private static void WriteTyped(Utf8JsonWriter writer, string type, JsonElement schema, JsonElement root, int depth)
    {
        switch (type)
        {
            case "object":
                WriteObject(writer, schema, root, depth);
                break;
            case "array":
                writer.WriteStartArray();
                for (var i = 0; i < Least(schema, "minItems") && i < MostDepth; i++)
                    Write(writer, schema.TryGetProperty("items", out var item) ? item : default, root, depth + 1);
                writer.WriteEndArray();
                break;
            case "integer" or "number":
                writer.WriteNumberValue(Least(schema, "minimum"));
                break;
            case "boolean":
                writer.WriteBooleanValue(true);
                break;
            case "null":
                writer.WriteNullValue();
                break;
            default:
                writer.WriteStringValue("engine".PadRight((int)Math.Clamp(Least(schema, "minLength"), 0, 1024), 'e'));
                break;
        }
    }

    private static void WriteObject(Utf8JsonWriter writer, JsonElement schema, JsonElement root, int depth)
    {
        writer.WriteStartObject();
        var fields = schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object;
        if (schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array)
        {
            foreach (var name in required.EnumerateArray())
            {
                writer.WritePropertyName(name.GetString()!);
                Write(writer, fields && properties.TryGetProperty(name.GetString()!, out var field) ? field : default, root, depth + 1);
            }
        }

        writer.WriteEndObject();
    }

    private static JsonElement Followed(JsonElement schema, JsonElement root)
    {
        for (var hops = 0; hops < MostDepth &&
            schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("$ref", out var path); hops++)
        {
            schema = root;
            foreach (var step in (path.GetString() ?? "").Split('/').Where(step => step is not ("#" or "")))
                schema = schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty(step, out var inner) ? inner : default;
        }

        return schema;
    }

    private static JsonElement? Branch(JsonElement schema)
    {
        foreach (var name in (ReadOnlySpan<string>)["anyOf", "oneOf", "allOf"])
        {
            if (schema.TryGetProperty(name, out var branches) && branches.ValueKind == JsonValueKind.Array && branches.GetArrayLength() > 0)
                return branches[0];
        }

        return null;
    }

    private static string TypeOf(JsonElement schema)
    {
        if (!schema.TryGetProperty("type", out var type))
            return schema.TryGetProperty("properties", out _) ? "object" : "string";
        return (type.ValueKind == JsonValueKind.Array && type.GetArrayLength() > 0 ? type[0] : type).GetString() ?? "string";
    }

    private static long Least(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var least) && least.ValueKind == JsonValueKind.Number ? (long)Math.Ceiling(least.GetDouble()) : 0;
}
