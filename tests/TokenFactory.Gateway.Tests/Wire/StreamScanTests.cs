using System.Buffers;
using System.Text;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class StreamScanTests
{
    private const string Vllm = """
        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":9,"total_tokens":9,"completion_tokens":0}}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Say \"usage\":"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"total_tokens":10,"completion_tokens":1}}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":9,"total_tokens":12,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}

        data: [DONE]


        """;

    private const string Done = "data: [DONE]\n\n";

    [Fact]
    public void Usage_that_the_client_did_not_ask_for_is_cut_out_and_counted()
    {
        var (sent, scan) = Run(Vllm);
        Assert.Equal(new Usage(9, 4, 3, 0), scan.Usage);
        Assert.Equal((true, 1), (scan.Done, scan.ContentEvents));
        Assert.Equal(Done, Encoding.UTF8.GetString(scan.Held.Span));
        Assert.Equal(
            """
            data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

            data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Say \"usage\":"},"logprobs":null,"finish_reason":"stop"}]}


            """,
            sent);
    }

    [Fact]
    public void Usage_that_the_client_asked_for_passes_as_it_came()
    {
        Assert.Equal(Vllm[..^Done.Length], Run(Vllm, final: true, continuous: true).Sent);
        var (sent, _) = Run(Vllm, final: true);
        Assert.Equal(1, sent.Split("\"usage\":{").Length - 1);
        Assert.Contains("\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"total_tokens\":12", sent);
    }

    [Fact]
    public void An_engine_that_puts_usage_beside_content_only_still_gives_the_usage_event_that_was_asked_for()
    {
        const string stream = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\r\n\r\n";
        var (sent, scan) = Run(stream + Done, final: true);
        Assert.Equal(
            "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\r\n\r\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n",
            sent);
        Assert.Equal(new Usage(1, 0, 2, 0), scan.Usage);
        Assert.DoesNotContain("usage", Run(stream + Done).Sent);
    }

    [Fact]
    public void A_response_is_held_back_at_its_completed_event_and_passes_unchanged()
    {
        const string head = """
            event: response.created
            data: {"type":"response.created","response":{"id":"r","status":"in_progress","error":null,"usage":null},"sequence_number":0}

            event: response.output_text.delta
            data: {"type":"response.output_text.delta","delta":"Hi","sequence_number":1}


            """;
        const string last = """
            event: response.completed
            data: {"type":"response.completed","response":{"id":"r","error":null,"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":12}}}


            """;
        var (sent, scan) = Run(head + last, Endpoint.Responses);
        Assert.Equal(head, sent);
        Assert.Equal(last, Encoding.UTF8.GetString(scan.Held.Span));
        Assert.Equal(new Usage(7, 2, 5, 3), scan.Usage);
        Assert.Equal((true, 1, null), (scan.Done, scan.ContentEvents, scan.Error));
    }

    [Theory]
    [InlineData("data: {\"error\":{\"message\":\"out of memory\",\"code\":500}}\n\n", "out of memory")]
    [InlineData("data: {\"object\":\"error\",\"message\":\"bad\"}\n\n", "bad")]
    [InlineData("data: {\"error\":\"plain\"}\n\n", "plain")]
    [InlineData("error: {\"code\":500,\"message\":\"old\"}\n\n", "old")]
    [InlineData("event: error\ndata: {\"message\":\"named\"}\n\n", "named")]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"error\"}}],\"error\":null}\n\n", null)]
    public void An_error_inside_a_stream_is_seen(string stream, string? message)
    {
        var (sent, scan) = Run(stream);
        Assert.Equal((stream, message, false), (sent, scan.Error, scan.Done));
    }

    [Theory]
    [InlineData("data: [DONE]", true)]
    [InlineData("data: [DONE]\n", true)]
    [InlineData("data:[DONE]\r", true)]
    [InlineData("data: [DON", false)]
    [InlineData(": comment\n", false)]
    public void At_the_end_a_whole_line_counts_and_half_a_line_does_not(string end, bool done)
    {
        var (sent, scan) = Run("data: {}\n\n" + end);
        Assert.Equal(done, scan.Done);
        Assert.Equal("data: {}\n\n" + (done || !end.EndsWith('\n') ? "" : end), sent);
        Assert.Equal(done ? end : "", Encoding.UTF8.GetString(scan.Held.Span));
    }

    [Fact]
    public void An_event_without_end_gives_the_stream_up_and_keeps_nothing()
    {
        var scan = new StreamScan(Endpoint.Chat, false, false);
        var to = new ArrayBufferWriter<byte>();
        scan.Feed("data: {}\n\ndata: "u8, to);
        var piece = new byte[64 << 10];
        piece.AsSpan().Fill((byte)'x');
        for (var fed = 0; fed < 2 * StreamScan.MostEventBytes; fed += piece.Length)
            scan.Feed(piece, to);
        scan.Feed("\n\ndata: [DONE]\n\n"u8, to);
        scan.End(to);
        Assert.Equal((true, false, "data: {}\n\n".Length, 0), (scan.Broken, scan.Done, to.WrittenCount, scan.Held.Length));
        Assert.Contains($"{StreamScan.MostEventBytes} bytes", scan.Error);
    }

    [Fact]
    public void What_follows_the_end_is_held_with_it_and_not_without_bound()
    {
        var (sent, scan) = Run(Done + ": bye\n\n" + string.Concat(Enumerable.Repeat($"data: {new string('x', 1000)}\n\n", 1000)));
        Assert.Equal("", sent);
        Assert.StartsWith(Done + ": bye\n\n", Encoding.UTF8.GetString(scan.Held.Span));
        Assert.InRange(scan.Held.Length, 60_000, 65_536);
    }

    internal static (string Sent, StreamScan Scan) Run(
        string stream, Endpoint endpoint = Endpoint.Chat, bool final = false, bool continuous = false)
    {
        var scan = new StreamScan(endpoint, final, continuous);
        var to = new ArrayBufferWriter<byte>();
        scan.Feed(Encoding.UTF8.GetBytes(stream), to);
        scan.End(to);
        return (Encoding.UTF8.GetString(to.WrittenSpan), scan);
    }
}
