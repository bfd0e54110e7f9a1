namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>How often each request was seen. All its room is taken at the start, so that it does not grow with what is measured beside it.</summary>
internal sealed class Tally(int capacity)
{
    private readonly Dictionary<long, int> _times = new(capacity);

    public int Count => _times.Count;

    public int Sum => _times.Values.Sum();

    /// <summary>Counts one; how often it was seen by now.</summary>
    public int Add(string id)
    {
        lock (_times)
            return _times[Number(id)] = _times.GetValueOrDefault(Number(id)) + 1;
    }

    public bool Holds(string id) => _times.ContainsKey(Number(id));

    /// <summary>Identities of one gateway differ in their last part.</summary>
    private static long Number(string id) => Convert.ToInt64(id[(id.LastIndexOf('-') + 1)..], 16);
}
