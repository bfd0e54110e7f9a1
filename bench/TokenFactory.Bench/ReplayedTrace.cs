using TokenFactory.Units;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Bench;

/// <summary>A recorded trace in memory, to be sent at any pace, as often as a run needs to last.</summary>
internal sealed class ReplayedTrace
{
    /// <summary>Share of the rows that a seed sends: which ones is its chance, so that one recording gives more than one sample.</summary>
    public const double SentShare = 0.8;

    /// <summary>Classes of the oracle per doubling of the answer's length.</summary>
    private const int PerDoubling = 4;

    private const int LengthClasses = 56;

    private readonly List<Request> _rows;

    public ReplayedTrace(string file)
    {
        Name = Path.GetFileNameWithoutExtension(file);
        var lines = File.ReadAllLines(file);
        var plan = new TracePlan { Name = Name, Lines = () => lines, Contents = TraceCheck.Of(lines, new TraceOptions()) };
        using var traffic = new TraceTraffic(plan, 1);
        _rows = [];
        while (traffic.Next() is { } request)
            _rows.Add(request);
        Seconds = _rows[^1].Arrival.Seconds;
    }

    public string Name { get; }

    /// <summary>Seconds of the recording.</summary>
    public double Seconds { get; }

    public IReadOnlyList<Request> Rows => _rows;

    /// <summary>Requests per second as recorded.</summary>
    public double Rate => _rows.Count / Seconds;

    /// <summary>Requests at a rate for at least some seconds: passes of the recording end to end, which share no content.</summary>
    /// <param name="rate">Requests per second.</param>
    /// <param name="seconds">Shortest time that the run takes.</param>
    /// <param name="byLength">A service class per length of the answer, so that whoever steers knows it: the oracle.</param>
    public Func<ulong, ITraffic> At(double rate, double seconds, bool byLength)
    {
        var pace = rate / (Rate * SentShare);
        var passes = Math.Max(1, (int)Math.Ceiling(seconds * pace / Seconds));
        return seed => new Traffic(this, pace, passes, seed, byLength);
    }

    public static string[] ClassNames(bool byLength) =>
        byLength ? [.. Enumerable.Range(0, LengthClasses).Select(i => $"length {i}")] : ["all"];

    private static int LengthClass(int tokens) => Math.Min(LengthClasses - 1, (int)(Math.Log2(tokens) * PerDoubling));

    private sealed class Traffic(ReplayedTrace trace, double pace, int passes, ulong seed, bool byLength) : ITraffic
    {
        private readonly Draws _draws = new(seed, trace.Name);
        private int _pass;
        private int _row;

        public IReadOnlyList<string> Classes { get; } = ClassNames(byLength);

        public IReadOnlyList<string> Tenants { get; } = ["all"];

        public long? Expected => null;

        public Request? Next()
        {
            while (_pass < passes)
            {
                if (_row == trace._rows.Count)
                {
                    _pass++;
                    _row = 0;
                    continue;
                }

                var row = trace._rows[_row++];
                if (_draws.Share() < SentShare)
                    return Sent(row);
            }

            return null;
        }

        public Request? After(Request ended, Instant at, bool completed) => null;

        private Request Sent(Request row) => row with
        {
            Id = row.Id + ((long)_pass << 48),
            Arrival = Instant.AtSeconds((row.Arrival.Seconds + (_pass * trace.Seconds)) / pace),
            Class = byLength ? LengthClass(row.Script.OutputTokens) : 0,
            Prompt = _pass == 0 ? row.Prompt : row.Prompt.ToArray().Select(piece => piece with { Content = Other(piece.Content) }).ToArray(),
        };

        private ulong Other(ulong content) => Draws.Identity(content, "pass", _pass);
    }
}
