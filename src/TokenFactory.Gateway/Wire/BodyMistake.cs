namespace TokenFactory.Gateway.Wire;

/// <summary>What is wrong with a body, in OpenAI's terms.</summary>
/// <param name="Message">One sentence that names the field, its value and the remedy. Strings that the client sent are not in it.</param>
/// <param name="Param">The field; null where it is the body as a whole.</param>
/// <param name="Code">"invalid_json", "missing_required_parameter", "invalid_value", "duplicate_parameter".</param>
public sealed record BodyMistake(string Message, string? Param, string Code)
{
    internal static BodyMistake NotJson(string what) => new($"The body is no JSON object that can be read: {what}.", null, "invalid_json");

    internal static BodyMistake Missing(string field, string remedy) =>
        new($"Field '{field}' is missing: {remedy}.", field, "missing_required_parameter");

    internal static BodyMistake Wrong(string field, string value, string remedy) =>
        new($"Field '{field}' is {value}: {remedy}.", field, "invalid_value");

    internal static BodyMistake Twice(string field) =>
        new($"Field '{field}' is given twice, and engines differ in which they take: give it once.", field, "duplicate_parameter");

    internal static BodyMistake Spelt(string field) =>
        new($"A field is '{field}' but for upper and lower case, and engines differ in whether they take it: write '{field}'.",
            field, "invalid_value");
}
