using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <summary>Where a request is.</summary>
internal enum Whereabouts
{
    Gateway,
    OnTheWay,
    Engine,
    Handoff,
    Ended,
}

/// <summary>Why a request is taken out of an engine.</summary>
internal enum TakenOut
{
    No,
    Expired,
    Migrates,
    CacheLost,
}

/// <summary>A request on its way through the fleet.</summary>
internal sealed class Journey(Request request, Ask ask)
{
    public Request Request { get; } = request;

    /// <summary>As the gateway sees it now: after a failure with what the client has already as part of the prompt.</summary>
    public Ask Ask { get; set; } = ask;

    public Whereabouts Where { get; set; }

    /// <summary>Replica of the present leg; -1 for none.</summary>
    public int Replica { get; set; } = -1;

    public EngineRequest? Leg { get; set; }

    /// <summary>Replica that computed the prompt, and what waits there to be fetched; -1 where that is over.</summary>
    public int Source { get; set; } = -1;

    public EngineRequest? Fetched { get; set; }

    public int FreshTokens { get; set; }

    /// <summary>When the first token of the present leg came.</summary>
    public Instant? LegFirstToken { get; set; }

    public TakenOut TakenOut { get; set; }

    public Instant? Dispatched { get; set; }

    public Instant? FirstSent { get; set; }

    public Instant? FirstToken { get; set; }

    /// <summary>Tokens of the answer that the client has from replicas that failed.</summary>
    public int Kept { get; set; }

    public int Attempts { get; set; }

    /// <summary>How often it was sent to a replica, legs counted one by one: what was sent before and comes later is void.</summary>
    public int Sendings { get; set; }

    public int Preemptions { get; set; }

    public int CachedTokens { get; set; }

    public double Joules { get; set; }

    public double UsageUsd { get; set; }

    /// <summary>Tokens of the answer by now, as of the last event.</summary>
    public int Tokens => Kept + (Leg?.Generated ?? 0);
}
