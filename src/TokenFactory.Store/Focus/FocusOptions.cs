namespace TokenFactory.Store.Focus;

/// <summary>What a model's tokens are charged.</summary>
/// <param name="Fresh">Dollars per million prompt tokens that are computed.</param>
/// <param name="Cached">Dollars per million prompt tokens that a cache held.</param>
/// <param name="Output">Dollars per million tokens of answers.</param>
public sealed record ChargeRates(decimal Fresh, decimal Cached, decimal Output);

/// <summary>Who bills, and at which list prices.</summary>
/// <param name="Factory">Name of the factory: provider, publisher, invoice issuer and billing account of all rows.</param>
public sealed record FocusOptions(string Factory)
{
    /// <summary>List prices of a model; null where none are known: then a price is worked out from what was charged.</summary>
    public Func<string, ChargeRates?> Rates { get; init; } = _ => null;
}

/// <summary>A file that would break the rules of FOCUS was not written.</summary>
/// <param name="mistakes">What is wrong with it.</param>
public sealed class FocusException(IReadOnlyList<string> mistakes)
    : Exception($"The FOCUS file would break the specification: {string.Join(' ', mistakes)}")
{
    /// <summary>What is wrong with it.</summary>
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
