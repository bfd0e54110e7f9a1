using System.Buffers;
using Microsoft.AspNetCore.Http;
using Endpoint = TokenFactory.Gateway.Wire.Endpoint;

namespace TokenFactory.Gateway.Virtual;

/// <summary>One request on its way through the engine: (1) submitted; (2) its tokens are written as they come, or its answer when it ends;
/// (3) where the client leaves, the engine stops.</summary>
internal sealed class Answering(HttpContext context, EngineDriver driver, VirtualAsk ask, Job job, RequestFaults faults)
{
    /// <summary>Sixteen hexadecimal digits of its own.</summary>
    public required string Id { get; init; }

    /// <summary>What clients call the model.</summary>
    public required string Model { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary>Answers it.</summary>
    public async Task RunAsync()
    {
        driver.Submit(job);
        var leaving = context.RequestAborted.UnsafeRegister(static state => ((Answering)state!).Leave(), this);
        try
        {
            if (!ask.Stream || ask.Endpoint == Endpoint.Embeddings)
                await WholeAsync();
            else if (ask.Endpoint == Endpoint.Responses)
                await StreamAsync(new ResponseWriter(ask, job, Id, Model, Created) { Usage = faults.Usage });
            else
                await StreamAsync(Writer());
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            Leave(); // the client took no more
        }
        finally
        {
            await leaving.DisposeAsync();
        }
    }

    private void Leave()
    {
        driver.Cancel(job);
        job.Signal();
    }

    private AnswerWriter Writer() => new(ask, job, (ask.Endpoint == Endpoint.Chat ? "chatcmpl-" : "cmpl-") + Id, Model, Created)
    {
        Usage = faults.Usage,
    };

    private async ValueTask WholeAsync()
    {
        while (job.Choices.Any(choice => choice.End == ChoiceEnd.None))
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            await job.WaitAsync();
        }

        if (await FailedAsync())
            return;
        if (faults.BreakAfter < long.MaxValue)
        {
            context.Abort();
            return;
        }

        var body = new ArrayBufferWriter<byte>(1024);
        switch (ask.Endpoint)
        {
            case Endpoint.Embeddings:
                Embeddings.Write(body, ask, job, Model, faults.Usage);
                break;
            case Endpoint.Responses:
                new ResponseWriter(ask, job, Id, Model, Created) { Usage = faults.Usage }.WriteWhole(body);
                break;
            default:
                Writer().WriteWhole(body);
                break;
        }

        await VirtualServer.SendAsync(context, 200, body.WrittenMemory);
    }

    /// <summary>Writes what there is, then waits for more.</summary>
    private async ValueTask StreamAsync(IAnswerStream stream)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        await context.Response.StartAsync();
        var to = context.Response.BodyWriter;
        await to.FlushAsync();
        for (var all = false; !all;)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            all = stream.Write(to, faults.BreakAfter);
            if (stream.Sent >= faults.BreakAfter)
            {
                await to.FlushAsync();
                context.Abort();
                return;
            }

            if (all)
            {
                if (job.Choices.Any(choice => choice.End != ChoiceEnd.Finished))
                    to.Write(
                        "data: {\"error\":{\"message\":\"The engine gave the request up.\",\"type\":\"api_error\",\"code\":500}}\n\n"u8);
                stream.Finish(to);
            }

            if ((await to.FlushAsync()).IsCompleted)
                throw new OperationCanceledException();
            if (!all)
                await job.WaitAsync();
        }
    }

    private async ValueTask<bool> FailedAsync()
    {
        foreach (var choice in job.Choices)
        {
            if (choice.End == ChoiceEnd.Finished)
                continue;
            await VirtualServer.ErrorAsync(
                context, 500, $"The engine gave the request up: {choice.Leg.Refusal ?? choice.End.ToString()}.", null, "engine_error");
            return true;
        }

        return false;
    }
}
