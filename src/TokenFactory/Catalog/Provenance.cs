using System.Collections.Immutable;
using System.Globalization;

namespace TokenFactory.Catalog;

/// <summary>How much a number can be trusted, weakest first, so that the weakest of several is their minimum.</summary>
public enum SourceKind
{
    /// <summary>Modelled, claimed or assumed.</summary>
    Estimated,

    /// <summary>Published by whoever makes or sells the thing.</summary>
    Datasheet,

    /// <summary>Measured by somebody who says how.</summary>
    Measured,
}

/// <summary>How a kind is written in files.</summary>
public static class SourceKinds
{
    /// <summary>Reads a kind, or null where it is none.</summary>
    public static SourceKind? Parse(string text) => text switch
    {
        "measured" => SourceKind.Measured,
        "datasheet" => SourceKind.Datasheet,
        "estimated" => SourceKind.Estimated,
        _ => null,
    };
}

/// <summary>When a source spoke: a day, a month, a year, or an interval where nobody knows better (ISO 8601).</summary>
/// <param name="Earliest">The first day it may be.</param>
/// <param name="Latest">The last day it may be.</param>
/// <param name="Text">As it was written, "2026-08" or "2025-11/2026-09".</param>
public sealed record SourceDate(DateOnly Earliest, DateOnly Latest, string Text)
{
    /// <summary>Exactly this day.</summary>
    public static SourceDate On(DateOnly day) => new(day, day, day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>Reads YYYY, YYYY-MM, YYYY-MM-DD or two of them joined by a slash.</summary>
    /// <returns>Null where the text is none of these.</returns>
    public static SourceDate? Parse(string text)
    {
        var ends = text.Split('/');
        if (ends.Length > 2 || Span(ends[0]) is not { } first || Span(ends[^1]) is not { } last || last.Latest < first.Earliest)
            return null;
        return new SourceDate(first.Earliest, last.Latest, text);
    }

    /// <summary>Days from the earliest day it may be to <paramref name="today"/>: an unknown day is judged by its oldest reading.</summary>
    public int AgeInDays(DateOnly today) => today.DayNumber - Earliest.DayNumber;

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static (DateOnly Earliest, DateOnly Latest)? Span(string text)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return (day, day);
        if (DateOnly.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month))
            return (month, new DateOnly(month.Year, month.Month, DateTime.DaysInMonth(month.Year, month.Month)));
        if (DateOnly.TryParseExact(text, "yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var year))
            return (year, new DateOnly(year.Year, 12, 31));
        return null;
    }
}

/// <summary>Who said a number, when, and how they came to it.</summary>
/// <param name="Kind">Measured, datasheet or estimated.</param>
/// <param name="Text">Who: a publication, a repository at a commit, a file of the user's.</param>
/// <param name="Date">When they said it.</param>
public sealed record Source(SourceKind Kind, string Text, SourceDate Date);

/// <summary>Where a number comes from: one source, or all the sources of the numbers it was computed from.</summary>
public sealed class Provenance
{
    private Provenance(ImmutableArray<Source> sources) => Sources = sources;

    /// <summary>The sources, in the order they entered the arithmetic, each once.</summary>
    public ImmutableArray<Source> Sources { get; }

    /// <summary>The weakest kind among the sources.</summary>
    public SourceKind Kind => Sources.Min(source => source.Kind);

    /// <summary>A number with one source.</summary>
    public static Provenance Of(Source source) => new([source]);

    /// <summary>The provenance of a number computed from both.</summary>
    public Provenance And(Provenance other) =>
        other.Sources.All(Sources.Contains) ? this : new Provenance([.. Sources.Union(other.Sources)]);
}

/// <summary>A value that carries where it comes from through arithmetic. There is no default source.</summary>
/// <param name="Value">The value.</param>
/// <param name="From">Where it comes from.</param>
/// <param name="Note">What a reader should know about it, such as sources that disagree; null for nothing.</param>
/// <typeparam name="T">The unit.</typeparam>
public readonly record struct Sourced<T>(T Value, Provenance From, string? Note = null)
{
    /// <summary>The result of a computation on this value alone.</summary>
    public Sourced<TResult> Select<TResult>(Func<T, TResult> compute) => new(compute(Value), From);

    /// <summary>The result of a computation on two values; the weakest source wins.</summary>
    public Sourced<TResult> With<TOther, TResult>(Sourced<TOther> other, Func<T, TOther, TResult> compute) =>
        new(compute(Value, other.Value), From.And(other.From));
}

/// <summary>Arithmetic on numbers that may be unknown.</summary>
public static class SourcedArithmetic
{
    /// <summary>The number in a unit, or null where it is unknown.</summary>
    public static Sourced<TResult>? As<T, TResult>(this Sourced<T>? number, Func<T, TResult> unit) =>
        number is { } known ? new Sourced<TResult>(unit(known.Value), known.From, known.Note) : null;
}
