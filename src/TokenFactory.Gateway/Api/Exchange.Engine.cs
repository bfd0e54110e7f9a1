using System.Buffers;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Wire;
using TokenFactory.Units;
using Endpoint = TokenFactory.Gateway.Wire.Endpoint;

namespace TokenFactory.Gateway.Api;

/// <content>(3) and (4): the engine's side.</content>
internal sealed partial class Exchange
{
    private const int ReadBytes = 16384;
    private const int WaitBytes = 2048; // what each of thousands of streams holds while it waits for its next token
    private const int MostAnswerBytes = 256 << 20;
    private const int MostTrustedBytes = 1 << 20;
    private const int PieceBytes = 16 << 10;
    private const int Ok = 200;
    private static readonly Duration TimerSlack = Duration.OfSeconds(0.002); // timers go by a coarser clock
    private const string EventStream = "text/event-stream";

    private bool _started;
    private bool _tooSlow;

    /// <summary>(3) Sends it to one replica and sees the answer through; a request to send again, or null where it is settled.</summary>
    private async ValueTask<Ask?> TryAsync(Leg leg)
    {
        _attempts++;
        var asked = _admitted.Scan;
        using var attempt = new Attempt(
            leg, asked.Stream ? new StreamScan(endpoint, asked.IncludesUsage, asked.IncludesUsage && asked.ContinuousUsage) : null);
        try
        {
            return await EndAsync(attempt, await CallAsync(attempt).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception) when (!_settled)
        {
            // A fault of our own: the replica gets its place back all the same, and what was sent has its record.
            await AbandonAsync(attempt).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask<Ask?> EndAsync(Attempt attempt, AttemptEnd end) => end switch
    {
        AttemptEnd.Answered => await AnswerAsync(attempt).ConfigureAwait(false),
        AttemptEnd.Refused => await PassRefusalAsync(attempt).ConfigureAwait(false),
        AttemptEnd.ErrorEvent when _started || attempt.Bytes.Length > 0 => await PassErrorAsync(attempt).ConfigureAwait(false),
        AttemptEnd.ClientGone => await LeaveAsync(attempt, null).ConfigureAwait(false),
        AttemptEnd.Late => await LeaveAsync(attempt, Late).ConfigureAwait(false),
        AttemptEnd.Lost or AttemptEnd.ErrorEvent => await RecoverAsync(attempt, Policies.Mishap.AnswerLost).ConfigureAwait(false),
        _ => await RecoverAsync(attempt, Policies.Mishap.ReplicaFailed).ConfigureAwait(false),
    };

    private async ValueTask<AttemptEnd> CallAsync(Attempt attempt)
    {
        var limits = running.Setup.Limits;
        var (replica, pool) = (attempt.Leg.Replica, attempt.Leg.Replica.Pool);
        using var cut = Cut.After(limits.FirstByteSeconds, _admitted.Deadline, gateway.Clock, _gone);
        try
        {
            var pieces = _admitted.Scan.With(_body, Changes(pool));
            using var request = EngineCalls.Request(gateway.AddressOf(replica, endpoint), pool.ApiKey, _id, pieces);
            using var answer = await gateway.Http.SendAsync(request, cut.Token).ConfigureAwait(false);
            attempt.Status = (int)answer.StatusCode;
            attempt.ContentType = TypeOf(answer) ?? attempt.ContentType;
            attempt.IsVirtual = answer.Headers.Contains(Headers.Virtual);
            await using var stream = await answer.Content.ReadAsStreamAsync(cut.Token).ConfigureAwait(false);
            if (attempt.Status == Ok && attempt.Scan is not null && attempt.ContentType.StartsWith(EventStream, StringComparison.OrdinalIgnoreCase))
                return await RelayAsync(attempt, stream, cut).ConfigureAwait(false);
            return await ReadAsync(attempt, stream, answer.Content.Headers.ContentLength, cut).ConfigureAwait(false)
                ? OfStatus(attempt)
                : AttemptEnd.Lost;
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
        {
            return WhyBroken(attempt, broken);
        }
    }

    /// <summary>What an engine says its answer is; null where that cannot stand in a header.</summary>
    private static string? TypeOf(HttpResponseMessage answer)
    {
        var type = answer.Content.Headers.ContentType?.ToString();
        return type?.AsSpan().ContainsAnyExceptInRange(' ', '~') == false ? type : null;
    }

    /// <summary>The few fields that an engine must see otherwise than the client wrote them.</summary>
    private BodyChanges Changes(PoolSetup pool)
    {
        var streams = _admitted.Scan.Stream && endpoint is Endpoint.Chat or Endpoint.Completions;
        return new BodyChanges
        {
            Model = pool.EngineModel is { } name && name != _admitted.Scan.Model ? name : null,
            AskUsage = streams,
            AskContinuousUsage = streams && EngineTraits.ReportsContinuously(pool.Engine),
            CacheSalt = running.Setup.CacheSalt && EngineTraits.TakesCacheSalt(pool.Engine) ? caller.CacheSalt : null,
            MaxTokens = caller.Tenant.MaxOutputTokens is not null && endpoint != Endpoint.Embeddings ? _admitted.MostOutput : null,
        };
    }

    /// <summary>
    /// (4) Relays a stream, event by event: what came leaves once nothing more can be read at once, or a piece is full. What came with the
    /// stream's end leaves with it.
    /// </summary>
    private async ValueTask<AttemptEnd> RelayAsync(Attempt attempt, Stream stream, Cut cut)
    {
        var scan = attempt.Scan!;
        var (buffer, begun) = (ArrayPool<byte>.Shared.Rent(WaitBytes), false);
        try
        {
            while (!scan.Done && scan.Error is null)
            {
                var reading = stream.ReadAsync(buffer, cut.Token);
                if ((!reading.IsCompleted || attempt.Bytes.Length >= PieceBytes) && !await PassOnAsync(attempt).ConfigureAwait(false))
                {
                    await cut.EndAsync(reading).ConfigureAwait(false);
                    return AttemptEnd.ClientGone;
                }

                if (begun && !reading.IsCompleted)
                    cut.Again(running.Setup.Limits.IdleSeconds);
                var read = await reading.ConfigureAwait(false);
                begun = true;
                if (read == 0)
                    scan.End(attempt.Bytes);
                else
                    scan.Feed(buffer.AsSpan(0, read), attempt.Bytes);
                if (attempt.FirstToken is null && scan.ContentEvents > 0)
                    NoteFirstToken(attempt);
                if (read == 0)
                    break;
                if (read == buffer.Length && read < ReadBytes)
                {
                    ArrayPool<byte>.Shared.Return(buffer); // one that comes fast
                    buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        attempt.Problem = scan.Error ?? "the stream ended before its end";
        return scan.Error is not null ? AttemptEnd.ErrorEvent : scan.Done ? AttemptEnd.Answered : AttemptEnd.Lost;
    }

    private void NoteFirstToken(Attempt attempt)
    {
        attempt.FirstToken = gateway.Clock.Now;
        attempt.Leg.FirstToken(attempt.FirstToken.Value);
    }

    /// <summary>Reads an answer that is no stream; false where it broke off or has no end.</summary>
    private async ValueTask<bool> ReadAsync(Attempt attempt, Stream stream, long? declared, Cut cut)
    {
        var into = attempt.Bytes;
        into.Reserve((int)Math.Min(declared ?? ReadBytes, MostTrustedBytes)); // more when it comes: declaring costs an engine nothing
        while (into.Length <= MostAnswerBytes)
        {
            var read = await stream.ReadAsync(into.GetMemory(), cut.Token).ConfigureAwait(false);
            if (read == 0)
                return true;
            into.Advance(read);
            cut.Again(running.Setup.Limits.IdleSeconds);
        }

        attempt.Problem = $"its answer is longer than {MostAnswerBytes >> 20} MiB";
        return false;
    }

    private static AttemptEnd OfStatus(Attempt attempt)
    {
        if (attempt.Status == Ok)
            return OfAnswer(attempt);
        attempt.Problem = attempt.Status is 401 or 403
            ? $"it refuses our key with HTTP {attempt.Status}: see api_key_env of its pool"
            : $"it answered HTTP {attempt.Status}";
        return attempt.Status is 401 or 403 or 408 or 425 or 429 or >= 500 or < 400 ? AttemptEnd.Failed : AttemptEnd.Refused;
    }

    /// <summary>What says that it is JSON, and is not, is a failure: half an answer, a proxy's page.</summary>
    private static AttemptEnd OfAnswer(Attempt attempt)
    {
        attempt.Said = AnswerScan.UsageOf(attempt.Bytes.Memory.Span);
        if (attempt.Said is not null || !attempt.ContentType.Contains("json", StringComparison.OrdinalIgnoreCase) || AnswerScan.IsObject(attempt.Bytes.Memory.Span))
            return AttemptEnd.Answered;
        attempt.Problem = "its answer is no whole JSON";
        return AttemptEnd.Lost;
    }

    private AttemptEnd WhyBroken(Attempt attempt, Exception broken)
    {
        if (_gone.IsCancellationRequested)
            return AttemptEnd.ClientGone;
        if (_admitted.Deadline <= gateway.Clock.Now + TimerSlack)
            return AttemptEnd.Late;
        var limits = running.Setup.Limits;
        attempt.Problem = broken switch
        {
            OperationCanceledException when attempt.Status == 0 => $"no answer within limits.first_byte_s, {limits.FirstByteSeconds:0.#} s",
            OperationCanceledException => $"silent for limits.idle_s, {limits.IdleSeconds:0.#} s",
            HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http => $"connection failed: {http.HttpRequestError}",
            _ => "the connection broke off",
        };
        return attempt.Status == 0 || broken is OperationCanceledException ? AttemptEnd.Failed : AttemptEnd.Lost;
    }

    /// <summary>Lets what has come leave; false where the client takes it no more.</summary>
    private async ValueTask<bool> PassOnAsync(Attempt attempt)
    {
        if (attempt.Bytes.Length == 0)
            return true;
        if (!_started)
            Start(attempt, null);
        var sent = await SendAsync(attempt.Bytes.Memory).ConfigureAwait(false);
        attempt.Bytes.Clear();
        return sent;
    }

    /// <summary>Sends piece by piece, so that a client has its time for each, however long the whole is; false where it takes no more.</summary>
    /// <param name="bytes">What is sent.</param>
    /// <param name="last">Nothing follows, which is said in the same breath.</param>
    private async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes, bool last = false)
    {
        for (; bytes.Length > PieceBytes; bytes = bytes[PieceBytes..])
        {
            http.Response.BodyWriter.Write(bytes.Span[..PieceBytes]);
            if (!await FlushAsync().ConfigureAwait(false))
                return false;
        }

        http.Response.BodyWriter.Write(bytes.Span);
        return await FlushAsync(last).ConfigureAwait(false);
    }

    /// <summary>Sends what was written; false where the client left, or took nothing for too long and is cut off.</summary>
    private async ValueTask<bool> FlushAsync(bool last = false)
    {
        try
        {
            var patience = TimeSpan.FromSeconds(running.Setup.Limits.SlowClientSeconds);
            if (last)
            {
                await http.Response.CompleteAsync().WaitAsync(patience, gateway.Clock.Time).ConfigureAwait(false);
                return true;
            }

            var flush = http.Response.BodyWriter.FlushAsync(_gone);
            var result = flush.IsCompleted
                ? await flush.ConfigureAwait(false)
                : await flush.AsTask().WaitAsync(patience, gateway.Clock.Time).ConfigureAwait(false);
            return !result.IsCompleted && !result.IsCanceled;
        }
        catch (Exception gone) when (gone is TimeoutException or OperationCanceledException or IOException)
        {
            _tooSlow = gone is TimeoutException;
            http.Abort();
            return false;
        }
    }

    /// <summary>Status and headers of an answer.</summary>
    private void Start(Attempt attempt, long? length)
    {
        _started = true;
        var answer = http.Response;
        answer.StatusCode = attempt.Status;
        answer.ContentType = attempt.ContentType;
        answer.ContentLength = length;
        answer.Headers[Headers.RequestId] = _id;
        if (attempt.IsVirtual)
            answer.Headers[Headers.Virtual] = "true";
        if (length is null)
            answer.Headers.CacheControl = "no-cache";
        if (!caller.Tenant.ShowsDecisions)
            return;
        answer.Headers[Headers.Replica] = attempt.Leg.Replica.Name;
        answer.Headers[Headers.Reason] = attempt.Leg.Decision.Reason.ToString();
        answer.Headers[Headers.Attempts] = _attempts.ToString();
        answer.Headers[Headers.WaitedSeconds] = (attempt.Leg.Dispatched - _arrival).Seconds.ToString("0.######");
    }
}
