using Microsoft.AspNetCore.Http;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Policies;
using TokenFactory.Units;
using Endpoint = TokenFactory.Gateway.Wire.Endpoint;

namespace TokenFactory.Gateway.Api;

/// <summary>
/// One request from its client to an engine and back: (1) its body is taken in whole and scanned, and what it may cost is reserved
/// (<see cref="Intake"/>); (2) it finds a replica, or waits for one; (3) it is sent, and sent elsewhere where that fails before a byte of
/// an answer has left; (4) the answer is relayed; (5) what it took is recorded, and what was reserved beyond that is given back; (6) once
/// the record is durable, the end of the answer leaves.
/// </summary>
internal sealed partial class Exchange(Gateway gateway, Running running, HttpContext http, Caller caller, Endpoint endpoint)
{
    private readonly Instant _arrival = gateway.Clock.Now;
    private readonly string _id = gateway.NextId();
    private readonly CancellationToken _gone = http.RequestAborted;
    private Admitted _admitted = null!;
    private ReadOnlyMemory<byte> _body;
    private Ask _ask = null!;

    /// <summary>Serves it, or says why not.</summary>
    public async Task RunAsync()
    {
        var (intake, limits) = (new Intake(gateway, running, caller, endpoint), running.Setup.Limits);
        using var body = new RequestBody(gateway.Held, limits.BodyBytes, limits.HeldBodyBytes);
        var taken = await body.ReadAsync(http.Request.BodyReader, http.Request.ContentLength).ConfigureAwait(false);
        if (taken == BodyIntake.Left)
        {
            http.Abort(); // or else the web server tries to read the rest, and complains that it cannot
            return;
        }

        _body = body.Memory;
        if (intake.Refuses(taken, body.Problem) is { } refused)
        {
            await RefuseAsync(refused).ConfigureAwait(false);
            return;
        }

        if (intake.Admit(_body, http.Request.Headers, _arrival, out var refusal) is not { } admitted)
        {
            await RefuseAsync(refusal!).ConfigureAwait(false);
            return;
        }

        (_admitted, _ask) = (admitted, admitted.Ask);
        try
        {
            await ServeAsync().ConfigureAwait(false);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>(2) and (3), until it is answered or given up.</summary>
    private async Task ServeAsync()
    {
        while (await PlaceAsync().ConfigureAwait(false) is { } leg)
        {
            if (await TryAsync(leg).ConfigureAwait(false) is not { } again)
                return;
            _ask = again;
            gateway.Metrics.Retried(_admitted.Model.Name);
        }
    }

    /// <summary>(2) A replica; null where there is none for it, which the client was told.</summary>
    private async ValueTask<Leg?> PlaceAsync()
    {
        using var cut = _admitted.Deadline is { } deadline ? Cut.At(deadline, gateway.Clock, _gone) : null;
        Placement placement;
        try
        {
            placement = await _admitted.Fleet.PlaceAsync(_ask, cut?.Token ?? _gone, _admitted.Scan.Stream).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await GiveUpAsync(_gone.IsCancellationRequested ? null : Late).ConfigureAwait(false);
            return null;
        }

        if (placement.Leg is null)
            await GiveUpAsync(Unplaced(placement)).ConfigureAwait(false);
        return placement.Leg;
    }

    private Refusal Unplaced(in Placement placement)
    {
        if (placement.Shed is not { } shed)
        {
            return placement.Closed
                ? new(503, "stopping", placement.Refused!, RetrySeconds: 1)
                : new(400, "context_length_exceeded", placement.Refused!, endpoint == Endpoint.Chat ? "messages" : null);
        }

        gateway.Metrics.Shed(shed.Class, shed.Limit);
        var words = shed.ToString();
        if (_admitted.Fleet.Replicas.All(replica => !replica.IsReady))
            return new(503, "no_replica", $"No replica of '{_admitted.Model.Name}' is ready. {words}", RetrySeconds: shed.RetryAfterSeconds);
        return shed.Limit is ShedLimit.Deadline or ShedLimit.DeadlineOutOfReach
            ? new(504, "deadline_exceeded", words, RetrySeconds: shed.RetryAfterSeconds)
            : new(429, "overloaded", words, RetrySeconds: shed.RetryAfterSeconds);
    }

    private Refusal Late => new(
        504,
        "deadline_exceeded",
        $"Not done {(_admitted.Deadline!.Value - _arrival).Seconds:0.###} s after its arrival, the deadline of {Headers.DeadlineSeconds} or of its class.",
        Headers.DeadlineSeconds);

    /// <summary>Ends it before anything of an answer has left; null where its client has.</summary>
    private async ValueTask GiveUpAsync(Refusal? refusal)
    {
        if (await RecordGivenUpAsync(refusal).ConfigureAwait(false) && refusal is not null)
            await RefuseAsync(refusal).ConfigureAwait(false);
    }

    private ValueTask RefuseAsync(Refusal refusal)
    {
        gateway.Metrics.Refused(refusal.Status, refusal.Code);
        return Answers.RefuseAsync(http, refusal, _id);
    }
}
