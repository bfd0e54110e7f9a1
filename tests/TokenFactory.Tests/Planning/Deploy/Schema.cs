using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TokenFactory.Tests.Planning.Deploy;

/// <summary>
/// Holds a document against a JSON schema: the keywords that the vendored schemas use, and no unknown keyword passes. Strict: where a
/// schema lists the properties of an object and says nothing of others, others are mistakes, as a misspelt key would otherwise pass.
/// </summary>
internal sealed class Schema
{
    private static readonly HashSet<string> Ignored =
    [
        "$schema", "id", "$id", "title", "description", "format", "default", "x-kubernetes-preserve-unknown-fields",
        "nullable", "definitions",
    ];

    private readonly Dictionary<string, JsonObject> _definitions = new(StringComparer.Ordinal);

    public static Schema Of(params string[] files)
    {
        var schema = new Schema();
        foreach (var file in files)
        {
            var text = JsonNode.Parse(Repository.Text("tests", "data", "schemas", file))!.AsObject();
            foreach (var (name, definition) in text["definitions"]!.AsObject())
                schema._definitions.Add(name, definition!.AsObject());
            if (text["root"] is JsonObject root)
                schema._definitions.Add("root", root);
        }

        return schema;
    }

    public IReadOnlyList<string> Mistakes(string definition, JsonNode? value)
    {
        var mistakes = new List<string>();
        Check(_definitions[definition], value, "", mistakes);
        return mistakes;
    }

    private void Check(JsonObject schema, JsonNode? value, string at, List<string> mistakes)
    {
        if (value is null && schema["nullable"]?.GetValue<bool>() == true)
            return;
        foreach (var (keyword, rule) in schema)
            Keyword(schema, keyword, rule!, value, at, mistakes);
    }

    private void Keyword(JsonObject schema, string keyword, JsonNode rule, JsonNode? value, string at, List<string> mistakes)
    {
        switch (keyword)
        {
            case "$ref":
                Check(_definitions[rule.GetValue<string>()["#/definitions/".Length..]], value, at, mistakes);
                break;
            case "type":
                var types = rule is JsonArray many ? many.Select(type => type!.GetValue<string>()) : [rule.GetValue<string>()];
                if (!types.Any(type => Is(value, type)))
                    mistakes.Add($"{at}: {Show(value)} is no {string.Join(" or ", types)}");
                break;
            case "enum":
                if (!rule.AsArray().Any(choice => JsonNode.DeepEquals(choice, value)))
                    mistakes.Add($"{at}: {Show(value)} is none of {rule.ToJsonString()}");
                break;
            case "anyOf" or "oneOf" or "allOf":
                Combined(keyword, rule.AsArray(), value, at, mistakes);
                break;
            case "not":
                if (Holds(rule.AsObject(), value))
                    mistakes.Add($"{at}: {Show(value)} is what it must not be");
                break;
            case "properties" or "patternProperties" or "additionalProperties" or "required" or "maxProperties":
                if (value is JsonObject map)
                    OfObject(schema, keyword, rule, map, at, mistakes);
                break;
            case "items" or "uniqueItems" or "minItems" or "maxItems":
                if (value is JsonArray list)
                    OfList(keyword, rule, list, at, mistakes);
                break;
            case "pattern":
                if (value is JsonValue text && Is(value, "string") && !Matches(text.GetValue<string>(), rule.GetValue<string>()))
                    mistakes.Add($"{at}: {Show(value)} does not match {rule}");
                break;
            case "minimum" or "maximum":
                if (Is(value, "number") && (keyword == "minimum") == (Number(value!) < Number(rule)) && Number(value!) != Number(rule))
                    mistakes.Add($"{at}: {Show(value)} is beyond the {keyword} {rule}");
                break;
            default:
                if (!Ignored.Contains(keyword))
                    throw new NotSupportedException($"The schema uses '{keyword}', which this checker does not know.");
                break;
        }
    }

    private void Combined(string keyword, JsonArray choices, JsonNode? value, string at, List<string> mistakes)
    {
        var holding = choices.Count(choice => Holds(choice!.AsObject(), value));
        if (keyword == "allOf" ? holding == choices.Count : keyword == "anyOf" ? holding > 0 : holding == 1)
            return;
        var inner = new List<string>();
        foreach (var choice in choices)
            Check(choice!.AsObject(), value, at, inner);
        mistakes.Add($"{at}: {holding} of {choices.Count} choices hold: {string.Join("; ", inner.Take(5))}");
    }

    private bool Holds(JsonObject schema, JsonNode? value)
    {
        var mistakes = new List<string>();
        Check(schema, value, "", mistakes);
        return mistakes.Count == 0;
    }

    private void OfObject(JsonObject schema, string keyword, JsonNode rule, JsonObject map, string at, List<string> mistakes)
    {
        switch (keyword)
        {
            case "required":
                var missing = rule.AsArray().Where(key => !map.ContainsKey(key!.GetValue<string>()));
                mistakes.AddRange(missing.Select(key => $"{at}: '{key}' is missing"));
                break;
            case "maxProperties":
                if (map.Count > rule.GetValue<int>())
                    mistakes.Add($"{at}: more than {rule} keys");
                break;
            case "properties":
                foreach (var (key, value) in map.Where(pair => rule[pair.Key] is not null))
                    Check(rule[key]!.AsObject(), value, $"{at}/{key}", mistakes);
                if (schema["additionalProperties"] is null && schema["patternProperties"] is null && rule.AsObject().Count > 0)
                    Others(schema, map, at, mistakes);
                break;
            case "patternProperties":
                foreach (var (key, value) in map)
                {
                    foreach (var (pattern, inner) in rule.AsObject().Where(one => Matches(key, one.Key)))
                        Check(inner!.AsObject(), value, $"{at}/{key}", mistakes);
                }

                break;
            case "additionalProperties" when rule is JsonObject inner:
                foreach (var (key, value) in map.Where(pair => !Named(schema, pair.Key)))
                    Check(inner, value, $"{at}/{key}", mistakes);
                break;
            case "additionalProperties" when !rule.GetValue<bool>():
                Others(schema, map, at, mistakes);
                break;
        }
    }

    private static void Others(JsonObject schema, JsonObject map, string at, List<string> mistakes) =>
        mistakes.AddRange(map.Where(pair => !Named(schema, pair.Key)).Select(pair => $"{at}: unknown key '{pair.Key}'"));

    private static bool Named(JsonObject schema, string key) =>
        schema["properties"]?[key] is not null
        || (schema["patternProperties"]?.AsObject().Any(one => Matches(key, one.Key)) ?? false);

    private void OfList(string keyword, JsonNode rule, JsonArray list, string at, List<string> mistakes)
    {
        if (keyword == "items")
        {
            for (var i = 0; i < list.Count; i++)
                Check(rule.AsObject(), list[i], $"{at}/{i}", mistakes);
        }
        else if (keyword == "uniqueItems" && list.Select(item => item?.ToJsonString()).Distinct().Count() < list.Count)
            mistakes.Add($"{at}: an item stands twice");
        else if (keyword == "minItems" ? list.Count < rule.GetValue<int>() : keyword == "maxItems" && list.Count > rule.GetValue<int>())
            mistakes.Add($"{at}: {list.Count} items against {keyword} {rule}");
    }

    private static bool Is(JsonNode? value, string type) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value is JsonValue text && text.TryGetValue<string>(out _),
        "boolean" => value is JsonValue truth && truth.TryGetValue<bool>(out _),
        "integer" => value is JsonValue whole && whole.TryGetValue<long>(out _),
        "number" => value is JsonValue number && (number.TryGetValue<long>(out _) || number.TryGetValue<double>(out _)),
        _ => throw new NotSupportedException($"The type '{type}' is not known."),
    };

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);

    private static bool Matches(string text, string pattern) => Regex.IsMatch(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(5));

    private static string Show(JsonNode? value) =>
        value?.ToJsonString() is { } text ? text.Length > 60 ? text[..60] + "..." : text : "null";
}
