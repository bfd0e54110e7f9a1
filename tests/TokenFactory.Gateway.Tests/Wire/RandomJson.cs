using System.Text;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

/// <summary>Random JSON as clients and engines may write it: any white space, escapes, scripts and sizes of numbers.</summary>
internal sealed class RandomJson(Dice dice)
{
    private static readonly string[] Letters =
    [
        "a", "Z", "0", " ", "é", "ß", "Ж", "漢", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "{", "]", ",",
    ];

    private static readonly string[] Words = ["\\\"usage\\\":", "\\\"usage", "usage", "[DONE]", "data:", "error", "model"];
    private static readonly string[] Numbers = ["0", "-1", "1.5", "1e3", "123456789012345678901234567890", "-0.0", "3E-7", "1e400"];

    public Dice Dice { get; } = dice;

    public T Of<T>(params T[] choices) => choices[Dice.Whole(0, choices.Length - 1)];

    public string Space() => Dice.Chance(0.7) ? "" : Of(" ", "  ", "\n", "\t", "\r\n");

    /// <summary>What stands between quotes.</summary>
    public string Text(int most = 8) =>
        string.Concat(Dice.Many(0, most, () => Dice.Chance(0.1) ? Of(Words) : Of(Letters)));

    public string Quoted(int most = 8) => $"\"{Text(most)}\"";

    public string Value(int depth = 3) => Dice.Whole(0, depth > 0 ? 7 : 5) switch
    {
        0 => "null",
        1 => Of("true", "false"),
        2 => Of(Numbers),
        3 => $"{Dice.Whole(0, 9999)}",
        6 => Array(Dice.Many(0, 3, () => Value(depth - 1))),
        7 => Object(Dice.Many(0, 3, () => Value(depth - 1)).Select((value, i) => ($"{i}{Text(3)}", value)).ToList()),
        _ => Quoted(),
    };

    public string Array(IEnumerable<string> values) => $"[{Space()}{string.Join($"{Space()},{Space()}", values)}{Space()}]";

    /// <summary>An object of names, as they stand between quotes, and values.</summary>
    public string Object(IEnumerable<(string Name, string Value)> members) =>
        $"{{{Space()}{string.Join($"{Space()},{Space()}", members.Select(m => $"\"{m.Name}\"{Space()}:{Space()}{m.Value}"))}{Space()}}}";

    /// <summary>A name, sometimes with letters escaped.</summary>
    public string Escaped(string name)
    {
        if (Dice.Chance(0.8))
            return name;
        var escaped = new StringBuilder();
        foreach (var letter in name)
            escaped.Append(Dice.Chance(0.3) ? $"\\u{(int)letter:x4}" : letter.ToString());
        return escaped.ToString();
    }
}
