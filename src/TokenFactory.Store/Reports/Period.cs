using TokenFactory.Units;

namespace TokenFactory.Store.Reports;

/// <summary>Hours and days in UTC, as integers and as words.</summary>
internal static class Period
{
    public const long HourNanos = 3_600_000_000_000;
    public const long DayNanos = 24 * HourNanos;

    /// <summary>Beginning of an hour or day that is counted from 1970 on.</summary>
    public static DateTime Begin(long number, long nanos) => DateTime.UnixEpoch.AddTicks(number * (nanos / TimeSpan.NanosecondsPerTick));

    /// <summary>"2026-11-22T03:00:00Z".</summary>
    public static string Hour(long number) => Text(Begin(number, HourNanos));

    /// <summary>"2026-11-22".</summary>
    public static string Day(long number) => Begin(number, DayNanos).ToString("yyyy-MM-dd");

    /// <summary>A moment as ISO 8601 has it.</summary>
    public static string Text(DateTime moment) => moment.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    public static long Number(Instant at, long nanos) => at.Nanoseconds / nanos;
}
