using System.Globalization;
using System.Text.RegularExpressions;

namespace TokenFactory.Cli.Tests.Articles;

/// <summary>A figure that an article prints, beside what the program computes for it.</summary>
/// <param name="Name">Table, row and column.</param>
/// <param name="Printed">As printed.</param>
/// <param name="Ours">What the program says, in the same words or at the same precision.</param>
internal sealed partial record PrintedCell(string Name, string Printed, string Ours)
{
    /// <summary>Whether the example was given this figure, so that it agrees without proving anything.</summary>
    public bool Input { get; private init; }

    public bool Agrees => Printed == Ours;

    /// <summary>A number that the example was given.</summary>
    public static PrintedCell Given(string name, string printed, double ours) => Number(name, printed, ours) with { Input = true };

    /// <summary>A number: the printed text gives unit and precision, to which ours is rounded, half away from zero.</summary>
    public static PrintedCell Number(string name, string printed, double ours)
    {
        var parts = Figure().Match(printed);
        Assert.True(parts.Success, $"{name}: '{printed}' is no figure");
        var digits = parts.Groups["digits"].Value;
        var decimals = digits.Contains('.', StringComparison.Ordinal) ? digits.Length - digits.IndexOf('.', StringComparison.Ordinal) - 1 : 0;
        var rounded = Math.Round((decimal)ours / Unit(parts.Groups["unit"].Value), decimals, MidpointRounding.AwayFromZero);
        var format = (digits.Contains(',', StringComparison.Ordinal) ? "N" : "F") + decimals.ToString(CultureInfo.InvariantCulture);
        return new PrintedCell(name, printed, parts.Groups["before"].Value + rounded.ToString(format, CultureInfo.InvariantCulture) + parts.Groups["unit"].Value);
    }

    /// <summary>What one of the printed unit is: a per cent, a thousand, a million; "x" is a plain ratio.</summary>
    private static decimal Unit(string unit) => unit switch
    {
        "%" => 0.01m,
        "K" => 1e3m,
        "M" => 1e6m,
        _ => 1,
    };

    [GeneratedRegex(@"^(?<before>[~+]?\$?)(?<digits>[0-9][0-9,]*(\.[0-9]+)?)(?<unit>[%KMx]?)$")]
    private static partial Regex Figure();
}
