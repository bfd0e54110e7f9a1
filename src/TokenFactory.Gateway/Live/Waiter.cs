using TokenFactory.Fleet;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// Somebody who waits for a placement. Who is told is put on a list under the fleet's lock and told outside it; what goes on then runs on
/// threads of its own.
/// </summary>
internal sealed class Waiter(Ask ask, bool streams)
{
    private readonly TaskCompletionSource<Placement> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Placement _placement;
    private Waiter? _next;

    public Ask Ask { get; } = ask;

    public bool Streams { get; } = streams;

    public Task<Placement> Task => _source.Task;

    /// <summary>Puts it on a list of those who are to be told.</summary>
    public void Answer(in Placement placement, ref Waiter? list)
    {
        _placement = placement;
        (_next, list) = (list, this);
    }

    public void Cancel(CancellationToken cancel) => _source.TrySetCanceled(cancel);

    /// <summary>Tells all on a list.</summary>
    public static void Tell(Waiter? list)
    {
        for (; list is not null; list = list._next)
            list._source.TrySetResult(list._placement);
    }
}
