using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.Gateway.Wire;
using TokenFactory.Workload;
using Endpoint = TokenFactory.Gateway.Wire.Endpoint;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Answers HTTP requests: finds what is asked, has the engine do it, and writes what comes.</summary>
internal sealed class VirtualServer
{
    private readonly EngineDriver _driver;
    private readonly FaultDice _dice;
    private readonly string _model;
    private readonly VirtualOptions _options;
    private readonly TimeProvider _time;
    private readonly AnswerPlan _plan;
    private readonly long _created;
    private long _requests;

    public VirtualServer(EngineDriver driver, FaultDice dice, string model, VirtualOptions options, TimeProvider time)
    {
        (_driver, _dice, _model, _options, _time) = (driver, dice, model, options, time);
        _plan = new AnswerPlan(options, driver);
        _created = time.GetUtcNow().ToUnixTimeSeconds();
    }

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext context)
    {
        context.Response.Headers[VirtualEngine.Header] = "true";
        var (path, request) = (context.Request.Path.Value, context.Request);
        if (HttpMethods.IsPost(request.Method))
        {
            return path switch
            {
                "/v1/chat/completions" => AnswerAsync(context, Endpoint.Chat),
                "/v1/completions" => AnswerAsync(context, Endpoint.Completions),
                "/v1/responses" => AnswerAsync(context, Endpoint.Responses),
                "/v1/embeddings" => AnswerAsync(context, Endpoint.Embeddings),
                "/virtual/faults" when _options.FaultControl => SetFaultsAsync(context),
                _ => NotFoundAsync(context),
            };
        }

        return path switch
        {
            "/health" or "/ping" => Health(context),
            "/version" => SendAsync(context, 200, Encoding.UTF8.GetBytes("{\"version\":\"tokenfactory-virtual\"}")),
            "/v1/models" => SendAsync(context, 200, Models()),
            "/metrics" => MetricsAsync(context),
            _ => NotFoundAsync(context),
        };
    }

    private async Task AnswerAsync(HttpContext context, Endpoint endpoint)
    {
        var faults = _dice.Next();
        var body = await BodyAsync(context);
        if (body is not { } bytes || await FailsAsync(context, faults))
            return;
        VirtualAsk ask;
        Job job;
        try
        {
            ask = AskReader.Read(bytes.Span, endpoint);
            Forget(context);
            if (ask.Model is { } named && named != _model)
                throw new AskRefused(404, $"The model `{named}` does not exist.", "model", "model_not_found");
            job = _plan.Of(ask);
        }
        catch (AskRefused refused)
        {
            await ErrorAsync(context, refused.Status, refused.Message, refused.Param, refused.Code);
            return;
        }

        var answer = new Answering(context, _driver, ask, job, faults)
        {
            Id = Id(),
            Model = _model,
            Created = _time.GetUtcNow().ToUnixTimeSeconds(),
        };
        await answer.RunAsync();
    }

    /// <summary>The body in one piece; null where the client left before its end.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>?> BodyAsync(HttpContext context)
    {
        try
        {
            while (true)
            {
                var read = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
                if (read.IsCompleted)
                {
                    var body = read.Buffer.IsSingleSegment ? read.Buffer.First : read.Buffer.ToArray();
                    context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End); // its bytes stay until Forget
                    return body;
                }

                context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException bad)
        {
            await ErrorAsync(context, bad.StatusCode, bad.Message, null, "invalid_request");
            return null;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>The body was read: its bytes are not kept while the answer runs.</summary>
    private static void Forget(HttpContext context)
    {
        if (context.Request.BodyReader.TryRead(out var rest))
            context.Request.BodyReader.AdvanceTo(rest.Buffer.End);
    }

    /// <summary>Fails where a fault says so.</summary>
    /// <returns>Whether it did.</returns>
    private static async ValueTask<bool> FailsAsync(HttpContext context, RequestFaults faults)
    {
        if (faults.Reset)
        {
            context.Abort();
            return true;
        }

        if (faults.Hang)
        {
            var left = new TaskCompletionSource();
            await using var registered = context.RequestAborted.Register(left.SetResult);
            await left.Task;
            return true;
        }

        if (faults.Status > 0)
        {
            await ErrorAsync(context, faults.Status, $"Virtual fault: status {faults.Status}.", null, "virtual_fault");
            return true;
        }

        if (!faults.Garbage)
            return false;
        byte[] garbage = [0x7B, 0x22, 0xFF, 0x00, 0xC3, 0x28, .. "data: {{{ not json \n\n}"u8];
        await SendAsync(context, 200, garbage);
        return true;
    }

    private Task Health(HttpContext context)
    {
        context.Response.StatusCode = _dice.Befalls(FaultKind.Health) ? 503 : 200;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private byte[] Models()
    {
        var to = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(to))
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            json.WriteStartObject();
            json.WriteString("id"u8, _model);
            json.WriteString("object"u8, "model"u8);
            json.WriteNumber("created"u8, _created);
            json.WriteString("owned_by"u8, "tokenfactory-virtual"u8);
            json.WriteString("root"u8, _model);
            json.WriteNumber("max_model_len"u8, _driver.MostTokens);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return to.WrittenSpan.ToArray();
    }

    private Task MetricsAsync(HttpContext context)
    {
        var text = _driver.Look((engine, counts, now) => EngineMetrics.Text(engine, counts, now, _model));
        return SendAsync(context, 200, Encoding.UTF8.GetBytes(text), "text/plain; version=0.0.4; charset=utf-8");
    }

    private async Task SetFaultsAsync(HttpContext context)
    {
        if (await BodyAsync(context) is not { } body)
            return;
        var plan = FaultPlan.Parse(Encoding.UTF8.GetString(body.Span).Trim(), out var mistakes);
        if (mistakes.Count > 0)
        {
            await ErrorAsync(context, 400, string.Join(" ", mistakes), null, "invalid_value");
            return;
        }

        _dice.Plan = plan;
        _driver.Slow(plan.Slowness);
        await SendAsync(context, 200, Encoding.UTF8.GetBytes($"{{\"faults\":{plan.Rules.Count.ToString(CultureInfo.InvariantCulture)}}}"));
    }

    private string Id()
    {
        var number = Draws.Mix(_options.Seed ^ Draws.Mix((ulong)_created ^ ((ulong)Interlocked.Increment(ref _requests) << 32)));
        return number.ToString("x16", CultureInfo.InvariantCulture);
    }

    private static Task NotFoundAsync(HttpContext context) => ErrorAsync(
        context, 404, $"There is no {context.Request.Method} {context.Request.Path} here. Ask for /v1/models.", null, "not_found");

    internal static Task ErrorAsync(HttpContext context, int status, string message, string? param, string? code) =>
        SendAsync(context, status, ApiError.Json(status, message, param, code));

    internal static Task SendAsync(HttpContext context, int status, ReadOnlyMemory<byte> body, string type = "application/json")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return context.Response.BodyWriter.WriteAsync(body).AsTask();
    }
}
