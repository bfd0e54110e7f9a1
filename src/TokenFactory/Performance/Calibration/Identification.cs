namespace TokenFactory.Performance.Calibration;

/// <summary>What became of a factor that a fit could not find.</summary>
public enum Standing
{
    /// <summary>The term is zero in every row: the factor is the common one, or what is known before any measurement.</summary>
    Unseen,

    /// <summary>The rows have the term and cannot tell it from others: held at the common factor, or at what is known before.</summary>
    Undecided,

    /// <summary>The rows would have it below zero: the term explains nothing that others do not.</summary>
    AtZero,

    /// <summary>The rows would have it above the largest allowed: something costs more than the model can say.</summary>
    AtMost,
}

/// <summary>A factor that a fit did not find inside its bounds.</summary>
/// <param name="Table">"step", "first-token" or "power".</param>
/// <param name="Group">The stack or architecture; "*|*" or "*" for what all share.</param>
/// <param name="Term">The term's name.</param>
/// <param name="Standing">What became of it.</param>
public sealed record FactorFinding(string Table, string Group, string Term, Standing Standing);

/// <summary>A group of rows that is too small for factors of its own.</summary>
/// <param name="Table">"step", "first-token" or "power".</param>
/// <param name="Group">The stack or architecture.</param>
/// <param name="Rows">Rows that it has.</param>
public sealed record SmallGroup(string Table, string Group, int Rows);

/// <summary>What a fit to these samples can identify, and what it only assumes.</summary>
/// <param name="Findings">Factors that are not found inside their bounds.</param>
/// <param name="SmallGroups">Groups that fell back on what all share.</param>
public sealed record Identification(IReadOnlyList<FactorFinding> Findings, IReadOnlyList<SmallGroup> SmallGroups)
{
    /// <summary>Looks at a fit and the samples that it was made from.</summary>
    /// <param name="samples">The samples.</param>
    /// <param name="set">What <see cref="Calibrator"/> made of them.</param>
    public static Identification Of(IReadOnlyList<Sample> samples, CalibrationSet set)
    {
        var findings = new List<FactorFinding>();
        var steps = samples.Where(s => s.Plain && !s.Point.Speculates && s.Point.MeasuredTpot > 0).ToList();
        foreach (var (stack, terms) in Ordered(set.Steps))
        {
            var own = steps.Where(s => stack == CalibrationSet.AnyStack || s.Traits.Stack == stack).ToList();
            foreach (var term in Enum.GetValues<StepTerm>())
                Look("step", stack, term, terms[term], Priors.MostStep(term), own.TrueForAll(s => s.TokenTerms[term] == 0));
        }

        var first = samples.Where(s => s.Plain && s.Point.MeasuredTtft > 0).ToList();
        foreach (var (stack, terms) in Ordered(set.FirstTokens))
        {
            // Only a pool of its own transfers its cache, and pools are not what these factors are fitted to.
            foreach (var term in Enum.GetValues<FirstTokenTerm>())
                Look("first-token", stack, term, terms[term], Priors.MostFirstToken, first.Count == 0 || term == FirstTokenTerm.Transfer);
        }

        var watts = samples.Where(s => s.Plain && s.Point.MeasuredWatts > 0 && s.Prepared.Decode.Deployment.Gpu.Tdp is not null).ToList();
        foreach (var (architecture, terms) in Ordered(set.Power))
        {
            var seen = watts.Exists(s => architecture == "*" || s.Traits.Architecture == architecture);
            foreach (var term in Enum.GetValues<PowerTerm>())
                Look("power", architecture, term, terms[term], Priors.MostPower(term), !seen);
        }

        return new Identification(
            findings,
            [
                .. Small("step", steps.Select(s => s.Traits.Stack)),
                .. Small("first-token", first.Select(s => s.Traits.Stack)),
                .. Small("power", watts.Select(s => s.Traits.Architecture)),
            ]);

        void Look<T>(string table, string group, T term, double value, double most, bool unseen)
            where T : struct, Enum
        {
            Standing? standing = unseen ? Standing.Unseen
                : set.Assumed.Contains(CalibrationSet.Factor(table, group, term)) ? Standing.Undecided
                : value <= 0 ? Standing.AtZero
                : value >= most - 1e-6 ? Standing.AtMost
                : null;
            if (standing is { } known)
                findings.Add(new FactorFinding(table, group, TermWords.Of(term), known));
        }
    }

    private static IEnumerable<KeyValuePair<string, T>> Ordered<T>(IReadOnlyDictionary<string, T> groups) =>
        groups.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    private static IEnumerable<SmallGroup> Small(string table, IEnumerable<string> groups) =>
        groups.GroupBy(group => group, StringComparer.Ordinal)
            .Where(group => group.Count() < Calibrator.FewestRows)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new SmallGroup(table, group.Key, group.Count()));
}
