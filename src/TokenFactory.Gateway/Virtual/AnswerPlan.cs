using TokenFactory.Engine;
using TokenFactory.Gateway.Wire;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Plans the answers to a request: how long each is, what it says, how it ends.</summary>
/// <param name="options">How long answers are.</param>
/// <param name="driver">What it may hold.</param>
internal sealed class AnswerPlan(VirtualOptions options, EngineDriver driver)
{
    private long _numbers;

    /// <summary>A job with its choices, ready to be submitted.</summary>
    /// <exception cref="AskRefused">It does not fit in the context.</exception>
    public Job Of(VirtualAsk ask)
    {
        var job = new Job { Streams = ask.Stream };
        var choices = new Choice[ask.Prompts.Count * ask.Choices];
        for (var i = 0; i < choices.Length; i++)
        {
            var prompt = ask.Prompts[i / ask.Choices];
            var text = ask.Endpoint == Endpoint.Embeddings ? Nothing(prompt) : Text(ask, prompt, i % ask.Choices);
            choices[i] = ChoiceOf(job, i, text, prompt, ask);
        }

        job.Choices = choices;
        return job;
    }

    private Choice ChoiceOf(Job job, int index, AnswerText text, PromptBytes prompt, VirtualAsk ask)
    {
        var holder = new Choice[1];
        var leg = new EngineRequest(Interlocked.Increment(ref _numbers), prompt.Tokens, new Script(text.Tokens))
        {
            Priority = ask.Priority,
            MaxTokens = ask.MaxTokens ?? 0,
            Prompt = prompt.Segments(),
            Tag = holder,
        };
        return holder[0] = new Choice(job, index, text) { Leg = leg };
    }

    /// <summary>A vector is there when its prompt is computed.</summary>
    private AnswerText Nothing(PromptBytes prompt)
    {
        Room(prompt, null, "input");
        return AnswerText.Words(prompt.Key, 1, 1, []);
    }

    private AnswerText Text(VirtualAsk ask, PromptBytes prompt, int choice)
    {
        var room = Room(prompt, ask.MaxTokens, ask.Endpoint == Endpoint.Chat ? "messages" : "prompt");
        var most = (int)Math.Min(room, ask.MaxTokens ?? int.MaxValue);
        var key = Draws.Mix(prompt.Key ^ Draws.Mix(options.Seed ^ Draws.Mix((ulong)ask.Seed)) ^ (ulong)choice);
        if (ask.Shape == AnswerShape.Json)
            return AnswerText.Given(ask.Object, most, ask.Stops);
        if (ask.Shape == AnswerShape.Tool)
            return AnswerText.Given(ask.Tool + "{}", most, []);
        var length = ask.IgnoreEos ? int.MaxValue : Math.Max(Length(key), ask.MinTokens);
        return AnswerText.Words(key, length, most, ask.Stops);
    }

    /// <summary>Tokens after which an answer ends by itself: a log-normal length whose mean is what was set.</summary>
    private int Length(ulong key)
    {
        var z = Normal.Quantile(new Draws(key, "length").InnerShare());
        var sigma = options.OutputSpread;
        var length = options.MeanOutputTokens * Math.Exp((sigma * z) - (sigma * sigma / 2));
        return (int)Math.Clamp(Math.Round(length), 1, int.MaxValue);
    }

    /// <summary>Tokens that the context leaves for the answer.</summary>
    private long Room(PromptBytes prompt, int? most, string field)
    {
        var (context, tokens) = (driver.MostTokens, prompt.Tokens);
        if (tokens >= context)
        {
            throw new AskRefused(
                400,
                $"This model's maximum context length is {context} tokens. However, you requested {tokens + (long)(most ?? 0)} tokens "
                    + $"({tokens} in the {field}, {most ?? 0} in the completion). Please reduce the length of the {field} or completion.",
                field,
                "context_length_exceeded");
        }

        if (most > context - tokens)
        {
            throw new AskRefused(
                400,
                $"'max_tokens' or 'max_completion_tokens' is too large: {most}. This model's maximum context length is "
                    + $"{context} tokens and your request has {tokens} input tokens ({most} > {context} - {tokens}).",
                "max_tokens",
                "context_length_exceeded");
        }

        return context - tokens;
    }
}
