using System.Globalization;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>Figures of a simulated run for people.</summary>
internal static class SimulateSpell
{
    /// <summary>A share that is never rounded up to all: "99.1 %", "99.97 %", "100 %" only where none is missing.</summary>
    public static string Kept(double share)
    {
        if (share is >= 1 or <= 0)
            return Spell.Percent(share);
        var scale = share >= 0.999 ? 100 : 10;
        var percent = Math.Floor((share * 100 * scale) + 1e-6) / scale;
        return percent >= 100 ? "> 99.99 %" : percent.ToString(scale == 100 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + " %";
    }

    /// <summary>A stretch of time, or how long after the beginning: "90 s", "12.5 min", "1 h".</summary>
    public static string Period(double seconds) => Math.Abs(seconds) switch
    {
        0 => "0 s",
        < 1 => Short(seconds * 1e3) + " ms",
        < 120 => Short(seconds) + " s",
        < 3600 => Short(seconds / 60) + " min",
        < 172_800 => Short(seconds / 3600) + " h",
        _ => Short(seconds / 86_400) + " days",
    };

    /// <summary>Seconds as milliseconds; less than a microsecond is nothing to people.</summary>
    public static string Ms(double seconds) => Math.Abs(seconds) < 1e-6 ? "0" : Spell.Number(seconds * 1e3);

    /// <summary>"one request", "2 requests".</summary>
    public static string Count(long count, string one, string? many = null) =>
        count == 1 ? $"one {one}" : $"{count:N0} {many ?? one + "s"}";

    /// <summary>Why a request was not answered, with the setting that it ran into.</summary>
    public static string Why(string why)
    {
        const string given = "given up: ";
        var at = why.IndexOf(given, StringComparison.Ordinal);
        var (lead, cause) = at < 0 ? ("", why) : (why[..(at + given.Length)], why[(at + given.Length)..]);
        return lead + Limits.GetValueOrDefault(cause, cause);
    }

    private static readonly Dictionary<string, string> Limits = new(StringComparer.Ordinal)
    {
        ["MaxWaiting"] = "as many of its class waited as may (max_waiting)",
        ["MaxWait"] = "waited as long as it may (max_wait_s)",
        ["Deadline"] = "its deadline has passed (deadline_s)",
        ["deadline"] = "not done by its deadline (deadline_s)",
        ["DeadlineOutOfReach"] = "its deadline came out of reach (deadline_s)",
        ["Attempts"] = "tried as often as may be (max_attempts)",
        ["RetryShare"] = "too much was retries already (max_retry_share)",
        ["CannotContinue"] = "its answer cannot be continued (continue_answers)",
    };

    private static string Short(double value) => value.ToString(Math.Abs(value) >= 100 ? "N0" : "0.##", CultureInfo.InvariantCulture);
}
