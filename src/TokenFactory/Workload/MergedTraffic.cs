using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>
/// Several sources as one, in the order of time (equal times in the order of the sources). Classes and tenants of the same name are one.
/// Ends after a number of requests or at a time. A session counts with all its turns when it begins, and the one that reaches the number
/// is shortened, so that which requests there are does not depend on the fleet; only closed loops beside other sources take what is left
/// as their clients get on.
/// </summary>
public sealed class MergedTraffic : ITraffic
{
    private readonly Source[] _sources;
    private readonly Instant _until;
    private readonly long? _requests;
    private long _left;

    /// <summary>Sources as one.</summary>
    /// <param name="sources">At least one, at most <see cref="MostSources"/>.</param>
    /// <param name="requests">Ends after so many; null for no such end.</param>
    /// <param name="until">Nothing arrives from then on; null for no such end.</param>
    public MergedTraffic(IReadOnlyList<ITraffic> sources, long? requests = null, Instant? until = null)
    {
        if (sources.Count is 0 or > MostSources)
            throw new ArgumentException($"{sources.Count} sources: give 1 to {MostSources}.", nameof(sources));
        (_requests, _left, _until) = (requests, requests ?? long.MaxValue, until ?? Instant.Never);
        var (classes, tenants) = (new List<string>(), new List<string>());
        _sources = [.. sources.Select(one => new Source(one, Indexes(one.Classes, classes), Indexes(one.Tenants, tenants)))];
        (Classes, Tenants) = (classes, tenants);
        foreach (var source in _sources)
            source.Peek();
    }

    /// <summary>Most sources of one workload.</summary>
    public const int MostSources = RequestNumber.MostSources;

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Tenants { get; }

    /// <inheritdoc/>
    public long? Expected
    {
        get
        {
            if (_until != Instant.Never)
                return null;
            var all = _sources.Aggregate((long?)0, (sum, source) => sum + source.Traffic.Expected);
            return all is { } known && _requests is { } most ? Math.Min(known, most) : all ?? _requests;
        }
    }

    /// <inheritdoc/>
    public Request? Next()
    {
        var first = -1;
        for (var i = 0; i < _sources.Length; i++)
        {
            if (_sources[i].Coming is { } coming && (first < 0 || coming.Arrival < _sources[first].Coming!.Arrival))
                first = i;
        }

        if (first < 0 || _left <= 0 || _sources[first].Coming!.Arrival >= _until)
        {
            Close();
            return null;
        }

        var source = _sources[first];
        var request = Outside(first, source.Coming!);
        _left -= source.Take(_left);
        source.Peek();
        return request;
    }

    /// <inheritdoc/>
    public Request? After(Request ended, Instant at, bool completed)
    {
        var number = RequestNumber.Source(ended.Id);
        var source = _sources[number];
        if (source.Traffic is not SessionTraffic && _left <= 0)
            return null;
        var next = source.Traffic.After(Inside(source, ended), at, completed);
        if (next is null || next.Arrival >= _until)
            return null;
        if (source.Traffic is not SessionTraffic)
            _left--;
        return Outside(number, next);
    }

    /// <summary>Nothing more is read: files of recorded traces are closed.</summary>
    private void Close()
    {
        foreach (var source in _sources)
            (source.Traffic as IDisposable)?.Dispose();
    }

    private Request Outside(int number, Request request) => request with
    {
        Id = RequestNumber.From(number, request.Id),
        Class = _sources[number].Classes[request.Class],
        Tenant = _sources[number].Tenants[request.Tenant],
        Session = RequestNumber.SessionFrom(number, request.Session),
    };

    private static Request Inside(Source source, Request request) => request with
    {
        Id = RequestNumber.Within(request.Id),
        Class = Array.IndexOf(source.Classes, request.Class),
        Tenant = Array.IndexOf(source.Tenants, request.Tenant),
        Session = RequestNumber.SessionWithin(request.Session),
    };

    private static int[] Indexes(IReadOnlyList<string> names, List<string> all)
    {
        var indexes = new int[names.Count];
        for (var i = 0; i < indexes.Length; i++)
        {
            indexes[i] = all.IndexOf(names[i]);
            if (indexes[i] >= 0)
                continue;
            indexes[i] = all.Count;
            all.Add(names[i]);
        }

        return indexes;
    }

    /// <summary>One source, the request that it sends next, and what its indexes are outside.</summary>
    private sealed class Source(ITraffic traffic, int[] classes, int[] tenants)
    {
        public ITraffic Traffic => traffic;

        public int[] Classes => classes;

        public int[] Tenants => tenants;

        public Request? Coming { get; private set; }

        public void Peek() => Coming = traffic.Next();

        /// <summary>How many requests of those left the coming one stands for.</summary>
        public long Take(long left)
        {
            if (traffic is not SessionTraffic sessions)
                return 1;
            sessions.ShortenNewest((int)Math.Min(left, int.MaxValue));
            return sessions.NewestTurns;
        }
    }
}
