using System.Globalization;

namespace TokenFactory.Gateway.Virtual;

/// <summary>What a virtual engine does wrong.</summary>
public enum FaultKind
{
    /// <summary>Drops new connections.</summary>
    Refuse,

    /// <summary>Resets the connection instead of answering.</summary>
    Reset,

    /// <summary>Answers with an HTTP status.</summary>
    Status,

    /// <summary>Answers nothing until the client leaves.</summary>
    Hang,

    /// <summary>Resets the connection after so many tokens.</summary>
    Break,

    /// <summary>Steps take so many times as long.</summary>
    Slow,

    /// <summary>Answers with bytes that are no JSON.</summary>
    Garbage,

    /// <summary>Reports usage that cannot be.</summary>
    WrongUsage,

    /// <summary>Reports no usage.</summary>
    NoUsage,

    /// <summary>Answers 503 when asked for its health.</summary>
    Health,
}

/// <summary>How usage is reported.</summary>
internal enum UsageFault
{
    None,
    Wrong,
    Missing,
}

/// <summary>One thing that goes wrong.</summary>
/// <param name="Kind">What.</param>
/// <param name="Value">The status, tokens or factor; 0 where it has none.</param>
/// <param name="Share">Share of the requests that it befalls, above 0 to 1.</param>
/// <param name="Next">So many requests from now on, and none after; null for no end.</param>
public sealed record FaultRule(FaultKind Kind, double Value, double Share, int? Next);

/// <summary>A fault that cannot be understood.</summary>
/// <param name="Word">As it was written.</param>
/// <param name="What">What is wrong with it.</param>
/// <param name="Remedy">What to do.</param>
public sealed record FaultMistake(string Word, string What, string Remedy)
{
    /// <inheritdoc/>
    public override string ToString() => $"Fault '{Word}' {What}. {Remedy}.";
}

/// <summary>What goes wrong with a virtual engine, written as "status=503:x3, break=20:0.01, slow=2".</summary>
/// <param name="Rules">Faults, in the order in which they are tried.</param>
public sealed record FaultPlan(IReadOnlyList<FaultRule> Rules)
{
    /// <summary>How faults are written.</summary>
    public const string Grammar =
        "KIND[=VALUE][:SHARE or :xN], separated by commas. Kinds: refuse, reset, status=503, hang, break=TOKENS, slow=FACTOR, garbage, "
        + "usage=wrong, usage=missing, health. SHARE is of the requests, 0.01; xN means the next N";

    /// <summary>Nothing goes wrong.</summary>
    public static FaultPlan None { get; } = new([]);

    /// <summary>Times as long that steps take.</summary>
    public double Slowness => Rules.Where(rule => rule.Kind == FaultKind.Slow).Aggregate(1.0, (product, rule) => product * rule.Value);

    /// <summary>Reads faults.</summary>
    /// <param name="text">As <see cref="Grammar"/> says; empty for none.</param>
    /// <param name="mistakes">What cannot be understood, each with its remedy.</param>
    public static FaultPlan Parse(string text, out IReadOnlyList<FaultMistake> mistakes)
    {
        var (rules, wrong) = (new List<FaultRule>(), new List<FaultMistake>());
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Rule(word, out var mistake) is { } rule)
                rules.Add(rule);
            else
                wrong.Add(mistake!);
        }

        mistakes = wrong;
        return new FaultPlan(rules);
    }

    private static FaultRule? Rule(string word, out FaultMistake? mistake)
    {
        mistake = null;
        var (what, when) = Split(word, ':');
        var (name, value) = Split(what, '=');
        var (kind, number) = Kind(name, value);
        if (kind is not { } known)
        {
            mistake = new FaultMistake(word, "is not known", $"Write {Grammar}");
            return null;
        }

        if (double.IsNaN(number))
        {
            mistake = new FaultMistake(
                word, "has a value that cannot be", "Give status 400 to 599, tokens of 0 or more, or a factor of 1 or more");
            return null;
        }

        if (when is null)
            return new FaultRule(known, number, 1, null);
        if (known is FaultKind.Slow)
            mistake = new FaultMistake(word, "slows all steps or none", $"Leave ':{when}' out");
        else if (when.StartsWith('x')
            && int.TryParse(when.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var next)
            && next > 0)
            return new FaultRule(known, number, 1, next);
        else if (double.TryParse(when, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1)
            return new FaultRule(known, number, share, null);
        mistake ??= new FaultMistake(
            word, $"has '{when}' behind the colon", "Give a share above 0 up to 1, or x3 for the next three");
        return null;
    }

    private static (string Left, string? Right) Split(string word, char at) =>
        word.IndexOf(at, StringComparison.Ordinal) is >= 0 and var i ? (word[..i], word[(i + 1)..]) : (word, null);

    private static (FaultKind? Kind, double Value) Kind(string name, string? value) => (name, value) switch
    {
        ("refuse", null) => (FaultKind.Refuse, 0),
        ("reset", null) => (FaultKind.Reset, 0),
        ("hang", null) => (FaultKind.Hang, 0),
        ("garbage", null) => (FaultKind.Garbage, 0),
        ("health", null) => (FaultKind.Health, 0),
        ("usage", "wrong") => (FaultKind.WrongUsage, 0),
        ("usage", "missing") => (FaultKind.NoUsage, 0),
        ("status", { } status) => (FaultKind.Status, Number(status, 400, 599)),
        ("break", { } tokens) => (FaultKind.Break, Number(tokens, 0, int.MaxValue)),
        ("slow", { } factor) => (FaultKind.Slow, Number(factor, 1, 1e6)),
        _ => (null, 0),
    };

    private static double Number(string text, double least, double most) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : double.NaN;
}
