using Microsoft.AspNetCore.Http;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Gateway.Wire;
using TokenFactory.Units;
using Endpoint = TokenFactory.Gateway.Wire.Endpoint;

namespace TokenFactory.Gateway.Api;

/// <summary>A request that may be served: what it asks for, who serves it, and the most that it can cost, reserved.</summary>
/// <param name="Scan">Its body.</param>
/// <param name="Model">The model.</param>
/// <param name="Fleet">Who serves it.</param>
/// <param name="Ask">As policies see it.</param>
/// <param name="MostOutput">The most tokens of one answer.</param>
/// <param name="Hold">What is reserved for it.</param>
/// <param name="Deadline">By when it must be done, if its client or its class says so.</param>
internal sealed record Admitted(RequestScan Scan, ModelSetup Model, LiveFleet Fleet, Ask Ask, int MostOutput, Hold Hold, Instant? Deadline);

/// <summary>Everything that can be refused before anybody else is asked: the body, the model, the class, the tenant's limits.</summary>
internal sealed class Intake(Gateway gateway, Running running, Caller caller, Endpoint endpoint)
{
    private const double MostDeadlineSeconds = 7 * 86400;

    /// <summary>What cannot be taken in.</summary>
    /// <param name="intake">What became of the body.</param>
    /// <param name="problem">What is wrong with its framing or pace.</param>
    public Refusal? Refuses(BodyIntake intake, BadHttpRequestException? problem) => intake switch
    {
        BodyIntake.Taken => null,
        BodyIntake.TooLong => new(
            413, "request_too_large", $"The body is longer than limits.body_mb allows: {Mebibytes(running.Setup.Limits.BodyBytes)} MiB."),
        BodyIntake.NoRoom => new(
            503,
            "overloaded",
            $"Bodies of other requests fill limits.held_body_mb: {Mebibytes(running.Setup.Limits.HeldBodyBytes)} MiB. Retry after 1 s.",
            RetrySeconds: 1),
        _ when problem?.StatusCode == StatusCodes.Status408RequestTimeout => new(
            408, "body_too_slow", $"The body came too slowly for limits.slow_client_s, {running.Setup.Limits.SlowClientSeconds:0.#} s. Send it faster."),
        _ => new(400, "bad_body", problem?.Message ?? "The body ended before its declared length."),
    };

    /// <summary>Finds out what is asked for, and reserves the most that it can cost.</summary>
    /// <param name="body">The body.</param>
    /// <param name="headers">The client's headers.</param>
    /// <param name="arrival">When it came.</param>
    /// <param name="refusal">Why it is not served.</param>
    public Admitted? Admit(ReadOnlyMemory<byte> body, IHeaderDictionary headers, Instant arrival, out Refusal? refusal)
    {
        if (RequestScan.Read(body, endpoint, out var mistake) is not { } scan)
        {
            refusal = new(400, mistake!.Code, mistake.Message, mistake.Param);
            return null;
        }

        if (!caller.MayUse(scan.Model) || !running.Fleets.TryGetValue(scan.Model, out var fleet))
        {
            refusal = new(
                404, "model_not_found", $"There is no model '{scan.Model}' for key '{caller.Key.Id}'. GET /v1/models lists those that are.", "model");
            return null;
        }

        Instant? deadline = null;
        refusal = ClassOf(headers, out var kind) ?? DeadlineOf(headers, running.Setup.Classes[kind], arrival, out deadline) ?? Beyond(scan);
        return refusal is null ? Reserve(body, scan, fleet, kind, arrival, deadline, out refusal) : null;
    }

    private static string Mebibytes(long bytes) => (bytes / 1048576.0).ToString("0.##");

    /// <summary>The class that a header names where the tenant may, the tenant's own, or the first.</summary>
    private Refusal? ClassOf(IHeaderDictionary headers, out int kind)
    {
        var own = caller.Tenant.Class ?? running.Setup.Classes[0].Name;
        var name = headers.TryGetValue(Headers.Class, out var said) ? said.ToString() : own;
        if (name != own && !caller.Tenant.Classes.Contains(name))
        {
            kind = 0;
            var may = string.Join(", ", caller.Tenant.Classes.Prepend(own).Distinct());
            return new(403, "class_not_allowed", $"Tenant '{caller.Tenant.Name}' may not use class '{name}', but {may}.", Headers.Class);
        }

        return running.ClassNumbers.TryGetValue(name, out kind)
            ? null
            : new(400, "unknown_class", $"There is no class '{name}', but {string.Join(", ", running.ClassNumbers.Keys)}.", Headers.Class);
    }

    /// <summary>The deadline that a header sets, or that of its class where it is earlier.</summary>
    private static Refusal? DeadlineOf(IHeaderDictionary headers, ServiceClass kind, Instant arrival, out Instant? deadline)
    {
        deadline = kind.DeadlineSeconds is { } most ? arrival + Duration.OfSeconds(most) : null;
        if (!headers.TryGetValue(Headers.DeadlineSeconds, out var said))
            return null;
        if (!double.TryParse(said.ToString(), out var seconds) || seconds is not (> 0 and <= MostDeadlineSeconds))
        {
            return new(
                400,
                "invalid_value",
                $"{Headers.DeadlineSeconds} is '{said}'. Give seconds, more than 0 and at most {MostDeadlineSeconds:0}.",
                Headers.DeadlineSeconds);
        }

        var asked = arrival + Duration.OfSeconds(seconds);
        deadline = deadline is { } given ? Instant.Earlier(given, asked) : asked;
        return null;
    }

    private Refusal? Beyond(RequestScan scan)
    {
        if (scan.Choices > running.Setup.Limits.Choices)
        {
            return new(
                400, "invalid_value", $"{scan.Choices} answers are asked for, limits.choices is {running.Setup.Limits.Choices}. Send several requests.", "n");
        }

        return gateway.Ledger.Full
            ? new(503, "ledger_full", "The store is away and store.most_waiting_gb of records wait for it. Retry after 30 s.", RetrySeconds: 30)
            : null;
    }

    private Admitted? Reserve(
        ReadOnlyMemory<byte> body, RequestScan scan, LiveFleet fleet, int kind, Instant arrival, Instant? deadline, out Refusal? refusal)
    {
        var model = running.Models[fleet.Model.Name];
        var context = model.ContextTokens;
        var content = body.Span[scan.Content];
        var prompt = scan.TokenIds > 0 ? scan.TokenIds : (int)Math.Clamp((content.Length + scan.AheadBytes) / fleet.BytesPerToken, 1, int.MaxValue);
        var mostPrompt = Charge.MostPromptTokens(body.Length, scan.HasMedia, context);
        var mostOutput = MostOutput(scan, context);
        var output = (long)mostOutput * scan.Choices;
        var worst = Charge.Worst(model.Price, mostPrompt, output);
        var hold = gateway.Tenants.Reserve(caller, model.Name, prompt + (scan.MaxTokens > 0 ? output : 0), worst, out var why);
        refusal = hold is null ? new(why!.Status, why.Code, why.Message, RetrySeconds: why.RetryAfterSeconds) : null;
        if (hold is null)
            return null;
        var ask = new Ask
        {
            Id = gateway.NextNumber(),
            Arrival = arrival,
            PromptTokens = prompt,
            MaxTokens = endpoint == Endpoint.Embeddings ? 1 : mostOutput < context ? mostOutput : 0,
            Class = kind,
            Tenant = caller.Index,
            Prefix = PrefixHash.Keys(
                content, (running.Setup.CacheSalt ? caller.PrefixSalt : 0) ^ scan.AheadHash, fleet.BytesPerToken, aheadBytes: scan.AheadBytes),
        };
        return new Admitted(scan, model, fleet, ask, mostOutput, hold, deadline);
    }

    /// <summary>The most tokens of one answer: what the client declares, what its tenant may have, what the context leaves.</summary>
    private int MostOutput(RequestScan scan, int context)
    {
        if (endpoint == Endpoint.Embeddings)
            return 0;
        var most = Math.Min(context, caller.Tenant.MaxOutputTokens ?? context);
        return scan.MaxTokens > 0 ? Math.Min(most, scan.MaxTokens) : most;
    }
}
