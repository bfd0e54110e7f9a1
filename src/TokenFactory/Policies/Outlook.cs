using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>What sending a request to a replica is expected to bring, by the replica's model and what is known of its load.</summary>
/// <param name="TtftSeconds">Seconds from now to its first token.</param>
/// <param name="TpotSeconds">Seconds per output token after the first.</param>
/// <param name="OutputTokens">Tokens that the replica is expected to generate for it.</param>
/// <param name="PromptSeconds">Seconds by which its prompt lengthens the steps of the replica.</param>
/// <param name="AnswerSeconds">Seconds by which its answer lengthens them; the whole steps where it runs alone.</param>
/// <param name="Slowness">How many times as long as predicted everything takes there.</param>
/// <param name="InflictedSeconds">Seconds by which it delays the requests that are there, summed over them.</param>
/// <param name="OthersTpotSeconds">Seconds per output token of those, with it among them.</param>
public readonly record struct Outlook(
    double TtftSeconds,
    double TpotSeconds,
    double OutputTokens,
    double PromptSeconds,
    double AnswerSeconds,
    double Slowness,
    double InflictedSeconds,
    double OthersTpotSeconds)
{
    /// <summary>How much slower a replica is taken to be that has fallen silent.</summary>
    public const double SilenceFactor = 1.5;

    private const double LeastAnswer = 16;

    /// <summary>Prompts are taken to get at least this part of a step's token budget, however many sequences generate.</summary>
    private const int LeastRoom = 8;

    /// <summary>Seconds from now to its last token.</summary>
    public double EndSeconds => TtftSeconds + (Math.Max(0, OutputTokens - 1) * TpotSeconds);

    /// <summary>Looks ahead.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="ask">The request.</param>
    /// <param name="fresh">Prompt tokens that the replica would have to compute; 0 at a second leg.</param>
    /// <param name="eligibility">Which reports are believed.</param>
    /// <param name="now">The present.</param>
    public static Outlook Of(FleetSnapshot fleet, ReplicaState replica, Ask ask, int fresh, Eligibility eligibility, Instant now)
    {
        var pool = fleet.Pools[replica.Pool];
        var load = Load.Of(fleet, replica, pool, ask, eligibility, now);
        var slow = Math.Max(replica.Slowness, 1 / SilenceFactor) * (eligibility.Silent(replica, now) ? SilenceFactor : 1);
        var prompt = pool.Steps.Prompt(fresh, ask.PromptTokens - fresh, load.Generating) * slow;
        var first = pool.Facts.Model.FrontSeconds(ask.PromptTokens) + FirstStep(pool, load, fresh, prompt, slow);
        if (replica.Unstarted > 0)
            first = Math.Max(first, (now - replica.WaitingSince).Seconds);
        if (pool.Facts.Role == ReplicaRole.Prefill)
            return new Outlook(first, 0, 0, prompt, 0, slow, 0, 0);
        var output = fleet.Classes[ask.Class].Expected(ask);
        var before = pool.Steps.Token(load.Running - 1, load.ContextBefore) * slow;
        var after = pool.Steps.Token(load.Running, load.ContextAfter(ask.PromptTokens + (output / 2))) * slow;
        first += load.Over * load.MeanOutput * after / pool.Facts.MaxSequences;
        var longer = Math.Max(0, after - before) * output;
        var inflicted = (load.Generating * prompt) + ((load.Running - 1) * longer);
        var others = after + (prompt / Math.Max(load.MeanOutput, LeastAnswer));
        return new Outlook(first, after, output, prompt, longer, slow, inflicted, others);
    }

    /// <summary>
    /// How much of the tightest of its class's promises a request would use up: 1 for all of it, 0 where nothing is promised.
    /// </summary>
    /// <param name="facts">The class.</param>
    /// <param name="waited">Seconds since the request arrived.</param>
    /// <param name="secondLeg">Its first token has come already.</param>
    public double OwnShare(ServiceClass facts, double waited, bool secondLeg = false)
    {
        double share = 0;
        if (facts.TtftSeconds is { } first && !secondLeg)
            share = (waited + TtftSeconds) / first;
        if (facts.TpotSeconds is { } each)
            share = Math.Max(share, TpotSeconds / each);
        if (facts.EndToEndSeconds is { } whole)
            share = Math.Max(share, (waited + EndSeconds) / whole);
        return facts.DeadlineSeconds is { } deadline ? Math.Max(share, (waited + EndSeconds) / deadline) : share;
    }

    /// <summary>
    /// How much of the tightest promise per output token those on the replica would have used up; 0 where nothing is promised.
    /// </summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="replica">The replica.</param>
    public double OthersShare(FleetSnapshot fleet, ReplicaState replica)
    {
        double tightest = double.PositiveInfinity;
        for (var i = 0; i < fleet.Classes.Count; i++)
        {
            if (fleet.Classes[i].Facts.TpotSeconds is { } each && each < tightest && replica.UnstartedOf(i) + replica.GeneratingOf(i) > 0)
                tightest = each;
        }

        return OthersTpotSeconds / tightest;
    }

    /// <summary>
    /// What is before a prompt is computed together with it, in steps that the generating sequences share, after the present one. Each of
    /// them takes a token of a step's budget before prompts do.
    /// </summary>
    private static double FirstStep(PoolState pool, in Load load, int fresh, double prompt, double slow)
    {
        var steps = pool.Steps;
        var step = steps.Decode(load.Generating, load.Context);
        var room = Math.Max(steps.TokenBudget / LeastRoom, steps.TokenBudget - load.Generating);
        var chunks = (load.Ahead + fresh + room - 1) / room;
        var shared = steps.Model.SeparatesPrompts ? 0 : chunks * step;
        return prompt + ((steps.Prompt(load.Ahead, 0, load.Generating) + shared + step) * slow);
    }

    /// <summary>What a replica has to do, as far as it is known.</summary>
    private readonly record struct Load(
        int Generating, int Running, int Over, long Ahead, double Context, double ContextBefore, double MeanOutput)
    {
        public static Load Of(
            FleetSnapshot fleet, ReplicaState replica, PoolState pool, Ask ask, Eligibility eligibility, Instant now)
        {
            var (generating, unstarted, ahead) = (replica.Generating, replica.Unstarted, replica.UnstartedFreshTokens);
            if (replica.Strangers > 0 && eligibility.Fresh(replica, now))
            {
                var waiting = Math.Min(replica.Strangers, replica.ReportedWaiting);
                generating += replica.Strangers - waiting;
                unstarted += waiting;
                ahead += waiting * (long)ask.PromptTokens;
            }

            var output = replica.InFlight > 0
                ? fleet.ExpectedOutputTokens(replica) / replica.InFlight
                : fleet.Classes[ask.Class].OutputTokens;
            var prompts = replica.Generating > 0 ? replica.GeneratingPromptTokens / (double)replica.Generating : ask.PromptTokens;
            var pace = generating > 0 ? pool.Steps.Token(generating, prompts) * replica.Slowness : 0;
            var context = replica.Generating > 0 ? replica.MeanContext(now, pace, output) : prompts;
            var queued = replica.Unstarted > 0 ? (replica.UnstartedPromptTokens / (double)replica.Unstarted) + (output / 2) : 0;
            var all = generating + unstarted;
            var before = all > 0 ? ((generating * context) + (unstarted * queued)) / all : 0;
            var running = Math.Min(all + 1, pool.Facts.MaxSequences);
            return new Load(generating, running, all + 1 - running, ahead, context, before, output);
        }

        public double ContextAfter(double own) => ((ContextBefore * (Running - 1)) + own) / Running;
    }
}
