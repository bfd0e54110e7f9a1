using TokenFactory.Performance;

namespace TokenFactory.Fleet;

/// <summary>What a request does at its replica, as far as its meter is concerned.</summary>
internal enum WorkPhase
{
    /// <summary>Others' prompts are computed first.</summary>
    Waits,

    /// <summary>Its prompt is computed.</summary>
    Computes,

    /// <summary>Its answer is generated.</summary>
    Generates,

    /// <summary>It is over.</summary>
    Ended,
}

/// <summary>Seconds and joules per unit of work that were spent so far.</summary>
internal record struct WorkSums(double Seconds, double Joules)
{
    /// <summary>Adds a share of a span that is spent on so much work.</summary>
    public void Add(double share, double seconds, double joules, long work)
    {
        if (share <= 0)
            return;
        Seconds += share * seconds / work;
        Joules += share * joules / work;
    }
}

/// <summary>
/// One request at one replica, as its meter knows it. Work is counted in whole picoseconds, so that what is added and taken away again
/// leaves nothing.
/// </summary>
public sealed class Work
{
    private const int UsualBatch = 32;
    private const double Picoseconds = 1e12;
    private const double MostPicoseconds = 1e15;

    internal Work(StepTable steps, int promptTokens, int freshTokens, double outputTokens)
    {
        FreshTokens = Math.Max(1, freshTokens);
        Context = promptTokens + (outputTokens / 2);
        PromptWork = Whole(steps.Prompt(FreshTokens, Math.Max(0, promptTokens - FreshTokens), 0));
        AnswerWork = Whole(steps.Decode(UsualBatch, Context) / UsualBatch);
    }

    internal int FreshTokens { get; }

    internal double Context { get; }

    internal long PromptWork { get; }

    internal long AnswerWork { get; }

    internal WorkPhase Phase { get; set; }

    internal WorkSums Since { get; set; }

    internal double Seconds { get; private set; }

    internal double Joules { get; private set; }

    internal Work? Before { get; set; }

    internal Work? After { get; set; }

    internal (double Seconds, double Joules) With(WorkSums now, long work) =>
        (Seconds + ((now.Seconds - Since.Seconds) * work), Joules + ((now.Joules - Since.Joules) * work));

    internal void Take(WorkSums now, long work) => (Seconds, Joules) = With(now, work);

    private static long Whole(double seconds) => (long)Math.Clamp(seconds * Picoseconds, 1, MostPicoseconds);
}

/// <summary>Requests whose prompts are to be computed, in the order in which they came, and those at its head that are.</summary>
/// <param name="tokenBudget">Prompt tokens of a step.</param>
internal sealed class WorkLine(int tokenBudget)
{
    private Work? _last;
    private Work? _next;
    private long _computed;
    private int _computing;

    /// <summary>Requests in the line.</summary>
    public int Count { get; private set; }

    /// <summary>Their tokens to compute.</summary>
    public long Tokens { get; private set; }

    /// <summary>Work of those that are computed.</summary>
    public long Work { get; private set; }

    public void Add(Work work, WorkSums sums)
    {
        Count++;
        Tokens += work.FreshTokens;
        (work.Before, _last) = (_last, work);
        if (work.Before is { } before)
            before.After = work;
        _next ??= work;
        Fill(sums);
    }

    /// <summary>Takes one out, with what it has by now.</summary>
    public void Remove(Work work, WorkSums sums)
    {
        Count--;
        Tokens -= work.FreshTokens;
        if (work.Before is { } before)
            before.After = work.After;
        if (work.After is { } after)
            after.Before = work.Before;
        if (_last == work)
            _last = work.Before;
        if (_next == work)
            _next = work.After;
        if (work.Phase == WorkPhase.Computes)
        {
            work.Take(sums, work.PromptWork);
            Work -= work.PromptWork;
            _computed -= work.FreshTokens;
            _computing--;
        }

        (work.Before, work.After) = (null, null);
        Fill(sums);
    }

    private void Fill(WorkSums sums)
    {
        while (_next is { } work && (_computing == 0 || _computed + work.FreshTokens <= tokenBudget))
        {
            (work.Phase, work.Since) = (WorkPhase.Computes, sums);
            Work += work.PromptWork;
            _computed += work.FreshTokens;
            _computing++;
            _next = work.After;
        }
    }
}
