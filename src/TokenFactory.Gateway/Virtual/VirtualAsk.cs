using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Virtual;

/// <summary>What an answer must look like.</summary>
internal enum AnswerShape
{
    /// <summary>Words.</summary>
    Text,

    /// <summary>One JSON object.</summary>
    Json,

    /// <summary>A call of a tool.</summary>
    Tool,
}

/// <summary>What a virtual engine understands of a request; everything else in it is read over.</summary>
internal sealed class VirtualAsk
{
    public required Endpoint Endpoint { get; init; }

    /// <summary>Null where it names none.</summary>
    public string? Model { get; set; }

    public bool Stream { get; set; }

    public bool IncludeUsage { get; set; }

    public bool ContinuousUsage { get; set; }

    /// <summary>Most tokens of an answer; null where it names none.</summary>
    public int? MaxTokens { get; set; }

    public int MinTokens { get; set; }

    public bool IgnoreEos { get; set; }

    /// <summary>Choices of each prompt.</summary>
    public int Choices { get; set; } = 1;

    public List<string> Stops { get; } = [];

    public long Seed { get; set; }

    public int Priority { get; set; }

    /// <summary>Whether the likelihood of each token is wanted.</summary>
    public bool Logprobs { get; set; }

    /// <summary>With it: that of so many other tokens.</summary>
    public int TopLogprobs { get; set; }

    public AnswerShape Shape { get; set; }

    /// <summary>With <see cref="AnswerShape.Json"/>: an object of the schema that was given, or any.</summary>
    public string Object { get; set; } = JsonExample.Any;

    /// <summary>With <see cref="AnswerShape.Tool"/>: the tool's name.</summary>
    public string? Tool { get; set; }

    /// <summary>The tool that is offered first; null for none.</summary>
    public string? FirstTool { get; set; }

    public bool Base64 { get; set; }

    /// <summary>Length of a vector; null for the model's own.</summary>
    public int? Dimensions { get; set; }

    /// <summary>Its prompts, at least one.</summary>
    public List<PromptBytes> Prompts { get; } = [];
}
