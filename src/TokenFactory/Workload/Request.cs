using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>
/// A piece of a prompt whose content has an identity: pieces of equal content and length after equal pieces are the same tokens, and a
/// prefix cache that holds them need not compute them again.
/// </summary>
/// <param name="Content">Identity of the content.</param>
/// <param name="Tokens">Its length in tokens, at least 1.</param>
public readonly record struct PromptSegment(ulong Content, int Tokens);

/// <summary>What a client does not declare and an engine finds out by generating: only a simulated engine may read it.</summary>
/// <param name="OutputTokens">Tokens that will be generated, at least 1.</param>
/// <param name="OutputContent">Identity of the answer, so that a later prompt that quotes it finds it cached; 0 where none will.</param>
public readonly record struct Script(int OutputTokens, ulong OutputContent = 0);

/// <summary>One request of a workload.</summary>
public sealed record Request
{
    /// <summary>Number of the request, unique in its traffic.</summary>
    public required long Id { get; init; }

    /// <summary>When the client sends it.</summary>
    public required Instant Arrival { get; init; }

    /// <summary>Length of the prompt in tokens, at least 1.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>What will happen.</summary>
    public required Script Script { get; init; }

    /// <summary>Most tokens that the client allows the answer (its max_tokens), at least 1; 0 where it declares none.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Leading pieces of the prompt that have an identity; tokens after them are nobody else's.</summary>
    public ReadOnlyMemory<PromptSegment> Prompt { get; init; }

    /// <summary>Index of its service class in <see cref="ITraffic.Classes"/>.</summary>
    public int Class { get; init; }

    /// <summary>Index of its tenant in <see cref="ITraffic.Tenants"/>.</summary>
    public int Tenant { get; init; }

    /// <summary>Number of the conversation or agent run that it is a turn of; -1 where it stands alone.</summary>
    public long Session { get; init; } = -1;

    /// <summary>Which turn of its session, from 0.</summary>
    public int Turn { get; init; }
}

/// <summary>
/// Requests in the order of time. Those that wait for no answer come from <see cref="Next"/>; those that do (closed loops, later turns of
/// sessions) from <see cref="After"/>. The same seed gives the same requests whatever the fleet does; only the times of those that wait
/// for answers follow it.
/// </summary>
public interface ITraffic
{
    /// <summary>Names of the service classes that requests refer to.</summary>
    IReadOnlyList<string> Classes { get; }

    /// <summary>Names of the tenants that requests refer to.</summary>
    IReadOnlyList<string> Tenants { get; }

    /// <summary>How many requests there will be in all, for progress; null where nobody knows.</summary>
    long? Expected { get; }

    /// <summary>The next request that waits for no answer, never earlier than the one before; null after the last.</summary>
    Request? Next();

    /// <summary>The request that follows the end of another; null for none. It arrives later than <paramref name="at"/>.</summary>
    /// <param name="ended">The request that ended.</param>
    /// <param name="at">When its last token (or its failure) reached the client.</param>
    /// <param name="completed">Whether it was answered in full.</param>
    Request? After(Request ended, Instant at, bool completed);
}
