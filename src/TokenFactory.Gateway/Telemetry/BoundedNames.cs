using System.Collections.Concurrent;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Names that may stand in labels: the first so many that come; all others are one. So no caller can make a scrape grow.</summary>
internal sealed class BoundedNames(string label, int most)
{
    /// <summary>What the rest is called.</summary>
    public const string Other = "other";

    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Whose values they are.</summary>
    public string Label { get; } = label;

    /// <summary>Whether new names are counted as <see cref="Other"/>.</summary>
    public bool IsFull => Volatile.Read(ref _full);

    private bool _full;

    public string Of(string name)
    {
        if (_names.TryGetValue(name, out var known))
            return known;
        if (IsFull)
            return Other;
        lock (_gate)
        {
            if (_names.Count < most)
                return _names.GetOrAdd(name, name);
            if (_names.TryGetValue(name, out known))
                return known;
            Volatile.Write(ref _full, true);
            return Other;
        }
    }
}
