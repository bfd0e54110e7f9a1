using TokenFactory.Store.Ledger;

namespace TokenFactory.Store.Sql;

/// <summary>Choices as words, as tables keep them, so that whoever reads a table needs no key to it.</summary>
internal static class Words
{
    private static readonly string[] Outcomes = ["completed", "cancelled", "failed"];
    private static readonly string[] Counters = ["engine", "counted", "estimated"];

    public static string Of(Outcome outcome) => Outcomes[(int)outcome];

    public static string Of(TokensFrom from) => Counters[(int)from];

    public static Outcome Outcome(string word) => (Outcome)Place(Outcomes, word);

    public static TokensFrom Counter(string word) => (TokensFrom)Place(Counters, word);

    /// <summary>Text that every store takes: PostgreSQL has no character of code zero.</summary>
    public static string Text(string text) => text.Contains('\0') ? text.Replace('\0', '\uFFFD') : text;

    private static int Place(string[] words, string word) =>
        Array.IndexOf(words, word) is >= 0 and var place
            ? place
            : throw new InvalidDataException($"The ledger holds '{word}', none of {string.Join(", ", words)}.");
}
