using System.Buffers.Text;
using System.Text;

namespace TokenFactory.Gateway.Live.Probes;

/// <summary>
/// Reads a few gauges out of Prometheus text as its bytes come, and passes over everything else. Series of one name (engines of one server)
/// are summed and counted. A line that cannot be read, or is longer than any that we want, says nothing.
/// </summary>
internal sealed class PrometheusScan
{
    private const int MostLineBytes = 4096;

    private readonly byte[][] _names;
    private readonly double[] _sums;
    private readonly int[] _counts;
    private readonly byte[] _rest = new byte[MostLineBytes];
    private int _kept;
    private bool _tooLong;

    /// <summary>Looks for names.</summary>
    public PrometheusScan(params IEnumerable<string> names)
    {
        _names = [.. names.Select(Encoding.ASCII.GetBytes)];
        (_sums, _counts) = (new double[_names.Length], new int[_names.Length]);
    }

    /// <summary>Takes the next bytes, split anyhow.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        for (var end = bytes.IndexOf((byte)'\n'); end >= 0; end = bytes.IndexOf((byte)'\n'))
        {
            if (_kept == 0 && !_tooLong)
                Line(bytes[..end]);
            else if (Keep(bytes[..end]))
                Line(_rest.AsSpan(0, _kept));
            (_kept, _tooLong) = (0, false);
            bytes = bytes[(end + 1)..];
        }

        Keep(bytes);
    }

    /// <summary>Nothing more comes: what stands after the last line break is a line too.</summary>
    public void End()
    {
        if (!_tooLong)
            Line(_rest.AsSpan(0, _kept));
        (_kept, _tooLong) = (0, false);
    }

    /// <summary>The sum of a name's series; null where none was there.</summary>
    public double? Sum(string name) => Find(name) is var i && i >= 0 && _counts[i] > 0 ? _sums[i] : null;

    /// <summary>The mean of a name's series; null where none was there.</summary>
    public double? Mean(string name) => Find(name) is var i && i >= 0 && _counts[i] > 0 ? _sums[i] / _counts[i] : null;

    private int Find(string name)
    {
        for (var i = 0; i < _names.Length; i++)
        {
            if (Encoding.ASCII.GetString(_names[i]) == name)
                return i;
        }

        return -1;
    }

    private bool Keep(ReadOnlySpan<byte> part)
    {
        if (_tooLong || _kept + part.Length > _rest.Length)
        {
            _tooLong = true;
            return false;
        }

        part.CopyTo(_rest.AsSpan(_kept));
        _kept += part.Length;
        return true;
    }

    private void Line(ReadOnlySpan<byte> line)
    {
        for (var i = 0; i < _names.Length; i++)
        {
            var name = _names[i];
            if (line.Length <= name.Length || line[name.Length] is not ((byte)'{' or (byte)' ' or (byte)'\t') || !line.StartsWith(name))
                continue;
            if (Value(line[name.Length..]) is { } value)
            {
                _sums[i] += value;
                _counts[i]++;
            }

            return;
        }
    }

    private static double? Value(ReadOnlySpan<byte> after)
    {
        if (after[0] == (byte)'{')
        {
            var close = Close(after);
            if (close < 0)
                return null;
            after = after[(close + 1)..];
        }

        after = after.TrimStart(" \t"u8);
        return Utf8Parser.TryParse(after, out double value, out var read) && double.IsFinite(value) && Ends(after[read..]) ? value : null;
    }

    /// <summary>A time may follow.</summary>
    private static bool Ends(ReadOnlySpan<byte> rest) => rest.IsEmpty || rest[0] is (byte)' ' or (byte)'\t' or (byte)'\r';

    /// <summary>Where the labels end; braces inside of their quoted values do not count.</summary>
    private static int Close(ReadOnlySpan<byte> labels)
    {
        var quoted = false;
        for (var i = 1; i < labels.Length; i++)
        {
            if (quoted && labels[i] == (byte)'\\')
                i++;
            else if (labels[i] == (byte)'"')
                quoted = !quoted;
            else if (!quoted && labels[i] == (byte)'}')
                return i;
        }

        return -1;
    }
}
