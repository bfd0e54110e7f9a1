using System.Text;
using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>The body with its few changes.</summary>
public sealed partial class RequestScan
{
    private const byte Quote = (byte)'"';

    /// <summary>
    /// The body with changes: pieces of the original and what stands between them, in order. Bytes that need no change are not copied.
    /// </summary>
    /// <param name="body">The body that was read.</param>
    /// <param name="changes">What must change.</param>
    public IReadOnlyList<ReadOnlyMemory<byte>> With(ReadOnlyMemory<byte> body, in BodyChanges changes)
    {
        var edits = new Edits(body, _places.Open);
        if (changes.Model is { } model && model != Model)
            edits.Replace(_places.Model, Quoted(model, []));
        if (Stream && _endpoint is Endpoint.Chat or Endpoint.Completions)
            AskUsage(ref edits, changes);
        if (changes.CacheSalt is { } salt)
            Salt(ref edits, salt);
        if (changes.MaxTokens is { } most && _endpoint != Endpoint.Embeddings)
            Limit(ref edits, most);
        return edits.Pieces();
    }

    private void AskUsage(ref Edits edits, in BodyChanges changes)
    {
        var usage = changes.AskUsage && !IncludesUsage;
        var continuous = changes.AskContinuousUsage && !ContinuousUsage;
        if (!usage && !continuous)
            return;
        var options = _places.StreamOptions;
        var added = new StringBuilder();
        if (usage && !edits.TryReplace(_places.IncludeUsage, "true"u8))
            added.Append("\"include_usage\":true");
        if (continuous && !edits.TryReplace(_places.ContinuousUsage, "true"u8))
            added.Append(added.Length > 0 ? "," : "").Append("\"continuous_usage_stats\":true");
        if (options.IsEmpty)
            edits.Add($"\"stream_options\":{{{added}}}");
        else if (edits.At(options.Start) == 'n')
            edits.Replace(options, Encoding.UTF8.GetBytes($"{{{added}}}"));
        else if (added.Length > 0)
            edits.Insert(options.End, Encoding.UTF8.GetBytes(edits.ClosesAt(options.End) ? $"{added}" : $"{added},"));
    }

    private void Salt(ref Edits edits, string salt)
    {
        var at = _places.CacheSalt;
        if (at.IsEmpty)
            edits.Add($"\"cache_salt\":{Encoding.UTF8.GetString(Quoted(salt, []))}");
        else
            edits.Replace(at, Quoted(salt, edits.At(at.Start) == Quote ? edits.Span[(at.Start + 1)..(at.End - 1)] : []));
    }

    private void Limit(ref Edits edits, int most)
    {
        var said = Lower(ref edits, _places.MaxTokens, most) | Lower(ref edits, _places.MaxCompletionTokens, most)
            | Lower(ref edits, _places.MaxOutputTokens, most);
        Lower(ref edits, _places.Predict, most);
        if (said)
            return;
        Span<Place> nulls = [_places.MaxCompletionTokens.At, _places.MaxTokens.At, _places.MaxOutputTokens.At];
        foreach (var at in nulls)
        {
            if (edits.TryReplace(at, Encoding.UTF8.GetBytes($"{most}")))
                return;
        }

        edits.Add($"\"{(_endpoint == Endpoint.Responses ? "max_output_tokens" : "max_tokens")}\":{most}");
    }

    /// <summary>Brings a limit down where it is higher; false where the client said none.</summary>
    private static bool Lower(ref Edits edits, TokenLimit limit, int most)
    {
        if (limit.Value > most || limit.Value < 0)
            edits.Replace(limit.At, Encoding.UTF8.GetBytes($"{most}"));
        return limit.Value != 0;
    }

    /// <summary>A JSON string of a text, followed by what stood between the quotes of another.</summary>
    private static byte[] Quoted(string text, ReadOnlySpan<byte> more) =>
        [Quote, .. JsonEncodedText.Encode(text).EncodedUtf8Bytes, .. more, Quote];

    /// <summary>Replacements and insertions, in any order.</summary>
    private ref struct Edits(ReadOnlyMemory<byte> body, int open)
    {
        private readonly List<(Place At, byte[] New)> _edits = new(6);
        private string _added = "";

        public readonly ReadOnlySpan<byte> Span => body.Span;

        public readonly byte At(int offset) => body.Span[offset];

        /// <summary>Whether the object that opens before an offset has no members.</summary>
        public readonly bool ClosesAt(int offset) => body.Span[offset..].TrimStart(" \t\r\n"u8)[0] == '}';

        public readonly void Replace(Place at, byte[] with) => _edits.Add((at, with));

        public readonly void Insert(int at, byte[] what) => _edits.Add((new Place(at, at), what));

        /// <summary>Replaces a value; false where there is none.</summary>
        public readonly bool TryReplace(Place at, ReadOnlySpan<byte> with)
        {
            if (at.IsEmpty)
                return false;
            Replace(at, with.ToArray());
            return true;
        }

        /// <summary>Adds a member to the body, which has others.</summary>
        public void Add(string member) => _added += member + ",";

        public readonly IReadOnlyList<ReadOnlyMemory<byte>> Pieces()
        {
            if (_added.Length > 0)
                Insert(open, Encoding.UTF8.GetBytes(_added));
            _edits.Sort(static (one, other) => one.At.Start.CompareTo(other.At.Start));
            var pieces = new List<ReadOnlyMemory<byte>>((2 * _edits.Count) + 1);
            var from = 0;
            foreach (var (at, with) in _edits)
            {
                pieces.Add(body[from..at.Start]);
                pieces.Add(with);
                from = at.End;
            }

            pieces.Add(body[from..]);
            return pieces;
        }
    }
}
