using System.Globalization;
using TokenFactory.Units;

namespace TokenFactory.Cli.Output;

/// <summary>Numbers for people. Every text carries its unit or stands under a heading that does.</summary>
internal static class Spell
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>Three significant digits, or whole numbers with separators from a thousand on.</summary>
    public static string Number(double value)
    {
        var size = Math.Abs(value);
        return size switch
        {
            0 => "0",
            >= 1000 => value.ToString("N0", Plain),
            >= 100 => value.ToString("0", Plain),
            >= 10 => value.ToString("0.0", Plain),
            >= 1 => value.ToString("0.00", Plain),
            >= 0.1 => value.ToString("0.000", Plain),
            _ => Small(value),
        };
    }

    /// <summary>Dollars: cents from a dollar on, three significant digits below.</summary>
    public static string Dollars(double value)
    {
        var size = Math.Abs(value);
        var sign = value < 0 ? "-" : "";
        return size switch
        {
            0 => "$0",
            >= 1e9 => $"{sign}${(size / 1e9).ToString("N2", Plain)} B",
            >= 1e6 => $"{sign}${(size / 1e6).ToString("0.00", Plain)} M",
            >= 1000 => $"{sign}${size.ToString("N0", Plain)}",
            >= 1 => $"{sign}${size.ToString("0.00", Plain)}",
            >= 0.1 => $"{sign}${size.ToString("0.000", Plain)}",
            _ => $"{sign}${Small(size)}",
        };
    }

    /// <summary>Three significant digits of what is below a tenth; without an exponent down to a billionth, which is what money is counted in.</summary>
    private static string Small(double value)
    {
        const int MostDigits = 11;
        var digits = 2 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return value.ToString(digits > MostDigits ? "G3" : "0." + new string('#', digits), Plain);
    }

    /// <summary>A share as a percentage, one decimal below ten.</summary>
    public static string Percent(double share)
    {
        var percent = share * 100;
        return percent.ToString(Math.Abs(percent) < 10 && percent != Math.Round(percent) ? "0.0" : "0", Plain) + " %";
    }

    /// <summary>A difference as a signed percentage.</summary>
    public static string Change(double share) => (Math.Round(share, 3) > 0 ? "+" : "") + Percent(Math.Round(share, 3));

    public static (double Value, string Text) Of(UsdPerMillionTokens price) => (price.Value, Dollars(price.Value));

    public static (double Value, string Text) Of(UsdPerHour price) => (price.Value, Dollars(price.Value));

    public static (double Value, string Text) Of(TokensPerSecond rate) => (rate.Value, Number(rate.Value));

    public static (double Value, string Text) Of(TokensPerJoule rate) => (rate.Value, Number(rate.Value));

    public static (double Value, string Text) Of(JoulesPerToken energy) => (energy.Value, Number(energy.Value));

    public static (double Value, string Text) Of(Power power) => (power.Watts.Value, Number(power.Watts.Value));

    public static (double Value, string Text) Of(GramsPerMillionTokens carbon) => (carbon.Value, Number(carbon.Value));

    public static (double Value, string Text) Of(Usd amount) => ((double)amount.Value, Dollars((double)amount.Value));

    public static (double Value, string Text) Share(double share) => (share, Percent(share));
}
