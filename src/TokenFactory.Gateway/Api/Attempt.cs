using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Wire;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Api;

/// <summary>How an attempt ended, as far as the engine is concerned.</summary>
internal enum AttemptEnd
{
    /// <summary>The answer is here in full, or its stream came to its end.</summary>
    Answered,

    /// <summary>The engine says that the request is wrong.</summary>
    Refused,

    /// <summary>The engine says, in its stream, that it cannot answer.</summary>
    ErrorEvent,

    /// <summary>The client left.</summary>
    ClientGone,

    /// <summary>The client's deadline is over.</summary>
    Late,

    /// <summary>The replica failed: no connection, a failure of its own, silence.</summary>
    Failed,

    /// <summary>The connection broke off within an answer.</summary>
    Lost,
}

/// <summary>A request at one replica.</summary>
internal sealed class Attempt(Leg leg, StreamScan? scan) : IDisposable
{
    /// <summary>Its place in the fleet.</summary>
    public Leg Leg { get; } = leg;

    /// <summary>Reads the answer's stream; null where no stream was asked for.</summary>
    public StreamScan? Scan { get; } = scan;

    /// <summary>An answer that is no stream, or what of a stream may leave and has not.</summary>
    public PooledBytes Bytes { get; } = new();

    /// <summary>HTTP status of the engine; 0 before it answered.</summary>
    public int Status { get; set; }

    /// <summary>Content type of the engine's answer.</summary>
    public string ContentType { get; set; } = "application/json";

    /// <summary>Whether the engine says that it is virtual.</summary>
    public bool IsVirtual { get; set; }

    /// <summary>When the first token came.</summary>
    public Instant? FirstToken { get; set; }

    /// <summary>Usage of an answer that is no stream; null where it has none.</summary>
    public Usage? Said { get; set; }

    /// <summary>What went wrong, in words.</summary>
    public string Problem { get; set; } = "";

    /// <summary>Tokens that are known to have come: by usage, or else by counting.</summary>
    public int OutputTokens => (int)Math.Min(int.MaxValue, Scan is null ? 0 : Math.Max(Scan.Usage?.Output ?? 0, Scan.Usage is null ? Scan.ContentEvents : 0));

    /// <inheritdoc/>
    public void Dispose() => Bytes.Dispose();
}
