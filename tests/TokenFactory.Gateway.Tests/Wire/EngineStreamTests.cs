using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Tests.Wire;

/// <summary>Ends of streams in the manner of each engine: where each puts usage, and in which shape.</summary>
public sealed class EngineStreamTests
{
    [Theory]
    [InlineData(
        "vLLM, asked for usage in each event",
        """data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" a","logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":{"prompt_tokens":5,"total_tokens":6,"completion_tokens":1}}""",
        """data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" a","logprobs":null,"finish_reason":null,"stop_reason":null}]}""",
        """data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2,"prompt_tokens_details":null}}""",
        Endpoint.Completions, 0, 0)]
    [InlineData(
        "SGLang, null usage in content and reasoning tokens of its own",
        """data: {"id":"9f","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":null,"content":"","reasoning_content":"hm","tool_calls":null},"logprobs":null,"finish_reason":null,"matched_stop":null}],"usage":null}""",
        """data: {"id":"9f","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":null,"content":"","reasoning_content":"hm","tool_calls":null},"logprobs":null,"finish_reason":null,"matched_stop":null}]}""",
        """data: {"id":"9f","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"reasoning_tokens":1}}""",
        Endpoint.Chat, 4, 1)]
    [InlineData(
        "llama.cpp, timings beside usage",
        """data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"a"}}],"created":1,"id":"chatcmpl-1","model":"m","system_fingerprint":"b6000","object":"chat.completion.chunk"}""",
        """data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"a"}}],"created":1,"id":"chatcmpl-1","model":"m","system_fingerprint":"b6000","object":"chat.completion.chunk"}""",
        """data: {"choices":[],"created":1,"id":"chatcmpl-1","model":"m","system_fingerprint":"b6000","object":"chat.completion.chunk","usage":{"completion_tokens":2,"prompt_tokens":5,"total_tokens":7},"timings":{"cache_n":3,"prompt_n":2,"predicted_n":2}}""",
        Endpoint.Chat, 0, 0)]
    [InlineData(
        "Ollama",
        """data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}""",
        """data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}""",
        """data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}}""",
        Endpoint.Chat, 2, 0)]
    [InlineData(
        "TensorRT-LLM, usage null where none is told",
        """data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":null,"content":"a","reasoning_content":null,"tool_calls":[]},"logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":null}""",
        """data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":null,"content":"a","reasoning_content":null,"tool_calls":[]},"logprobs":null,"finish_reason":null,"stop_reason":null}]}""",
        """data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0}}}""",
        Endpoint.Chat, 0, 0)]
    public void Each_engine_is_metered_and_shows_no_usage_that_was_not_asked_for(
        string engine, string chunk, string cut, string usage, Endpoint endpoint, long cached, long reasoning)
    {
        var (sent, scan) = StreamScanTests.Run($"{chunk}\n\n{usage}\n\ndata: [DONE]\n\n", endpoint);
        Assert.True($"{cut}\n\n" == sent, $"{engine}: {sent}");
        Assert.Equal(new Usage(5, cached, 2, reasoning), scan.Usage);
        Assert.Equal((true, 1, null), (scan.Done, scan.ContentEvents, scan.Error));
        (sent, _) = StreamScanTests.Run($"{chunk}\n\n{usage}\n\ndata: [DONE]\n\n", endpoint, final: true);
        Assert.EndsWith($"{usage}\n\n", sent);
    }
}
