using System.Buffers;

namespace TokenFactory.Gateway.Api;

/// <summary>Bytes in one pooled array that grows as it is written to.</summary>
internal sealed class PooledBytes : IBufferWriter<byte>, IDisposable
{
    private const int LeastBytes = 512;

    private byte[] _bytes = [];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Room without growing, written bytes included.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>What was written; good until more is.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Length + (sizeHint > 0 ? sizeHint : LeastBytes));
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Makes room for so many bytes in all.</summary>
    public void Reserve(int capacity)
    {
        if (capacity <= _bytes.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(capacity, _bytes.Length * 2L)));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        Return();
        _bytes = larger;
    }

    /// <summary>Forgets what was written.</summary>
    public void Clear() => Length = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        Return();
        (_bytes, Length) = ([], 0);
    }

    private void Return()
    {
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
    }
}
