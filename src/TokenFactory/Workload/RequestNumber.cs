namespace TokenFactory.Workload;

/// <summary>
/// Numbers of requests: source, session (or row, or client) and turn side by side in 63 bits, so that they are unique and follow from what
/// is asked, never from when it is answered.
/// </summary>
internal static class RequestNumber
{
    /// <summary>Most streams of a workload.</summary>
    public const int MostSources = 1 << (63 - SessionBits - TurnBits);

    /// <summary>Most turns of a session, and most requests of a client that numbers its own.</summary>
    public const int MostTurns = 1 << TurnBits;

    private const int SessionBits = 34;
    private const int TurnBits = 22;

    /// <summary>A request within its source.</summary>
    public static long Of(long session, int turn) => (session << TurnBits) | (uint)turn;

    /// <summary>The session of a number without source.</summary>
    public static long Session(long number) => number >> TurnBits;

    /// <summary>The turn of a number.</summary>
    public static int Turn(long number) => (int)(number & ((1L << TurnBits) - 1));

    /// <summary>A number with its source.</summary>
    public static long From(int source, long number) => ((long)source << (SessionBits + TurnBits)) | number;

    /// <summary>The source of a number.</summary>
    public static int Source(long number) => (int)(number >> (SessionBits + TurnBits));

    /// <summary>The number without its source.</summary>
    public static long Within(long number) => number & ((1L << (SessionBits + TurnBits)) - 1);

    /// <summary>A session with its source; -1 stays.</summary>
    public static long SessionFrom(int source, long session) => session < 0 ? session : ((long)source << SessionBits) | session;

    /// <summary>A session's number from its name, in the bits there are.</summary>
    public static long SessionOf(string name) => (long)(Draws.Identity(0, name) & ((1UL << SessionBits) - 1));

    /// <summary>The session without its source; -1 stays.</summary>
    public static long SessionWithin(long session) => session < 0 ? session : session & ((1L << SessionBits) - 1);
}
