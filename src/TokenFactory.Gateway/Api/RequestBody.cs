using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.Gateway.Api;

/// <summary>Bytes of bodies that are held at once, over all requests.</summary>
internal sealed class HeldBytes
{
    private long _held;

    /// <summary>Bytes held now.</summary>
    public long Now => Interlocked.Read(ref _held);

    /// <summary>Takes room for some more, unless that were too many.</summary>
    public bool TryTake(long bytes, long most)
    {
        if (Interlocked.Add(ref _held, bytes) <= most)
            return true;
        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    /// <summary>Gives it back.</summary>
    public void Give(long bytes) => Interlocked.Add(ref _held, -bytes);
}

/// <summary>What became of taking a body in.</summary>
internal enum BodyIntake
{
    /// <summary>It is here.</summary>
    Taken,

    /// <summary>It is longer than bodies may be.</summary>
    TooLong,

    /// <summary>Bodies of others fill what may be held.</summary>
    NoRoom,

    /// <summary>It is not framed as it should be, ended before its declared length, or came too slowly.</summary>
    Broken,

    /// <summary>The client left.</summary>
    Left,
}

/// <summary>A request's body in one pooled piece of memory, kept for as long as it may have to be sent again.</summary>
/// <param name="held">What all hold together.</param>
/// <param name="most">Longest body in bytes.</param>
/// <param name="mostHeld">Bytes of bodies that may be held at once.</param>
internal sealed class RequestBody(HeldBytes held, long most, long mostHeld) : IDisposable
{
    private const int FirstBytes = 4096;

    /// <summary>Room for a declared length; for more when it comes, so that declaring alone holds nothing that others need.</summary>
    private const int MostTrustedBytes = 1 << 20;

    private readonly PooledBytes _bytes = new();
    private long _taken;

    /// <summary>What is wrong with its framing or pace; null where nothing is.</summary>
    public BadHttpRequestException? Problem { get; private set; }

    /// <summary>The body.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.Memory;

    /// <summary>Reads a body to its end, unless it is too long. A client that leaves ends the reading by itself.</summary>
    /// <param name="from">Where it comes from.</param>
    /// <param name="declared">Its declared length in bytes; null where it declares none.</param>
    public async ValueTask<BodyIntake> ReadAsync(PipeReader from, long? declared)
    {
        if (declared > most)
            return BodyIntake.TooLong;
        if (!Grow((int)Math.Min(declared ?? FirstBytes, MostTrustedBytes)))
            return BodyIntake.NoRoom;
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                var intake = Take(read.Buffer);
                from.AdvanceTo(read.Buffer.End);
                if (intake != BodyIntake.Taken || read.IsCompleted)
                    return intake;
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The last is what the web server throws at trailers that are no text: whoever sends such is not answered.
            Problem = gone as BadHttpRequestException;
            return Problem is null ? BodyIntake.Left : BodyIntake.Broken;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bytes.Dispose();
        held.Give(_taken);
        _taken = 0;
    }

    private BodyIntake Take(in System.Buffers.ReadOnlySequence<byte> more)
    {
        if (_bytes.Length + more.Length > most)
            return BodyIntake.TooLong;
        if (!Grow(_bytes.Length + (int)more.Length))
            return BodyIntake.NoRoom;
        foreach (var piece in more)
        {
            piece.Span.CopyTo(_bytes.GetSpan(piece.Length));
            _bytes.Advance(piece.Length);
        }

        return BodyIntake.Taken;
    }

    private bool Grow(int bytes)
    {
        if (bytes <= _taken)
            return true;
        var wanted = Math.Max(bytes, Math.Min(most, _taken * 2));
        if (!held.TryTake(wanted - _taken, mostHeld))
            return false;
        _taken = wanted;
        _bytes.Reserve((int)wanted);
        return true;
    }
}
