using System.Text;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class RequestScanTests
{
    [Fact]
    public void A_chat_request_tells_what_routing_and_metering_need()
    {
        const string body = """
            {"model":"llama","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true},
             "max_completion_tokens":64,"n":2,"tools":[{"type":"function"}],"seed":12345678901234567890,"cache_salt":"mine"}
            """;
        var scan = Read(body);
        Assert.Equal("llama", scan.Model);
        Assert.True(scan.Stream && scan.IncludesUsage);
        Assert.False(scan.ContinuousUsage || scan.HasMedia);
        Assert.Equal((64, 2, 0), (scan.MaxTokens, scan.Choices, scan.TokenIds));
        Assert.Equal("""[{"role":"user","content":"Hi"}]""", Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(body)[scan.Content]));
    }

    [Theory]
    [InlineData("""["a","b","c"]""", 3, 0)]
    [InlineData("""[1,2,3]""", 1, 3)]
    [InlineData("""[[1,2],[3]]""", 2, 3)]
    [InlineData("\"one\"", 1, 0)]
    public void Prompts_are_counted_whichever_way_they_are_given(string prompt, int prompts, int ids)
    {
        var scan = Read($$"""{"model":"m","prompt":{{prompt}},"n":2,"best_of":3}""", Endpoint.Completions);
        Assert.Equal((3 * prompts, ids), (scan.Choices, scan.TokenIds));
        Assert.Equal(1, Read($$"""{"model":"m","input":{{prompt}}}""", Endpoint.Embeddings).Choices);
    }

    [Theory]
    [InlineData("""{"type":"image_url","image_url":{"url":"https://x"}}""", true)]
    [InlineData("""{ "image_url" : {"url":"https://x"}}""", true)]
    [InlineData("""{"typ\u0065":"input_\u0061udio"}""", true)]
    [InlineData("""{"type":"text","text":"image_url"}""", false)]
    [InlineData("""{"type":"text","text":"{\"type\":\"image_url\"}"}""", false)]
    public void Media_are_seen_wherever_a_part_names_them(string part, bool media) =>
        Assert.Equal(media, Read($$"""{"model":"m","messages":[{"role":"user","content":[{{part}}]}]}""").HasMedia);

    [Theory]
    [InlineData("", null, "invalid_json")]
    [InlineData("[]", null, "invalid_json")]
    [InlineData("{", null, "invalid_json")]
    [InlineData("{\"model\":", null, "invalid_json")]
    [InlineData("{\"model\":\"m\",\"messages\":[", null, "invalid_json")]
    [InlineData("""{"model":"m","messages":[1]} x""", null, "invalid_json")]
    [InlineData("""{"model":"m","messages":[1],}""", null, "invalid_json")]
    [InlineData("""{"model":"m",/**/"messages":[1]}""", null, "invalid_json")]
    [InlineData("""{"messages":[1]}""", "model", "missing_required_parameter")]
    [InlineData("""{"model":null,"messages":[1]}""", "model", "invalid_value")]
    [InlineData("""{"model":"","messages":[1]}""", "model", "invalid_value")]
    [InlineData("""{"model":"\ud800","messages":[1]}""", "model", "invalid_value")]
    [InlineData("""{"model":"m"}""", "messages", "missing_required_parameter")]
    [InlineData("""{"model":"m","messages":null}""", "messages", "missing_required_parameter")]
    [InlineData("""{"model":"m","messages":[]}""", "messages", "invalid_value")]
    [InlineData("""{"model":"m","messages":"text"}""", "messages", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"max_tokens":0}""", "max_tokens", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"max_tokens":-1}""", "max_tokens", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"max_tokens":1.5}""", "max_tokens", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"max_tokens":"5"}""", "max_tokens", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"max_tokens":1e999}""", "max_tokens", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"n":129}""", "n", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"stream":"true"}""", "stream", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"stream_options":[]}""", "stream_options", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"stream_options":{"include_usage":1}}""", "include_usage", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"cache_salt":7}""", "cache_salt", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"model":"other"}""", "model", "duplicate_parameter")]
    [InlineData("""{"model":"m","messages":[1],"mod\u0065l":"other"}""", "model", "duplicate_parameter")]
    [InlineData(
        """{"model":"m","messages":[1],"stream_options":{"include_usage":true,"include_usage":false}}""", "include_usage",
        "duplicate_parameter")]
    [InlineData("""{"model":"m","messages":[1],"Model":"other"}""", "model", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"kv_transfer_params":{"remote_host":"other"}}""", "kv_transfer_params", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"bootstrap_port":null,"bootstrap_host":"other"}""", "bootstrap_host", "invalid_value")]
    [InlineData("""{"model":"m","messages":[1],"max_to\u212aens":5}""", "max_tokens", "invalid_value")]
    [InlineData("""{"model":"m","me\u017fsages":[1]}""", "messages", "invalid_value")]
    public void What_is_wrong_is_refused_by_name(string body, string? param, string code)
    {
        Assert.Null(RequestScan.Read(Encoding.UTF8.GetBytes(body), Endpoint.Chat, out var mistake));
        Assert.Equal((param, code), (mistake!.Param, mistake.Code));
        Assert.DoesNotContain("other", mistake.Message);
    }

    [Theory]
    [InlineData(Endpoint.Chat, "messages", "tools", "functions")]
    [InlineData(Endpoint.Responses, "input", "tools", "instructions")]
    public void Tools_and_instructions_are_part_of_the_prompt(Endpoint endpoint, string content, string one, string other)
    {
        var plain = Scan("");
        var first = Scan($$""","{{one}}":[{"type":"function"}]""");
        var both = Scan($$""","{{one}}":[{"type":"function"}],"{{other}}":"be brief" """);
        var turned = Scan($$""","{{other}}":"be brief","{{one}}":[{"type":"function"}]""");
        Assert.Equal((0, 0ul), (plain.AheadBytes, plain.AheadHash));
        Assert.Equal("""[{"type":"function"}]""".Length, first.AheadBytes);
        Assert.Equal((both.AheadBytes, both.AheadHash), (turned.AheadBytes, turned.AheadHash));
        Assert.Equal(3, new[] { plain, first, both }.Select(scan => scan.AheadHash).Distinct().Count());
        Assert.Equal(plain.AheadHash, Scan($$""","{{one}}":null""").AheadHash);

        RequestScan Scan(string more) =>
            RequestScan.Read(Encoding.UTF8.GetBytes($$"""{"model":"m","{{content}}":[{"role":"user","content":"hi"}]{{more}}}"""), endpoint, out _)!;
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_refused()
    {
        byte[] body = [.. "{\"model\":\"m\",\"messages\":[\""u8, 0xff, .. "\"]}"u8];
        Assert.Null(RequestScan.Read(body, Endpoint.Chat, out var mistake));
        Assert.Equal("invalid_json", mistake!.Code);
    }

    [Fact]
    public void Nesting_without_end_is_refused_and_that_of_schemas_is_not()
    {
        string Nested(int depth) =>
            $$"""{"model":"m","messages":[1],"x":{{new string('[', depth)}}{{new string(']', depth)}}}""";
        Assert.Equal("m", Read(Nested(100)).Model);
        Assert.Null(RequestScan.Read(Encoding.UTF8.GetBytes(Nested(100_000)), Endpoint.Chat, out var mistake));
        Assert.Equal("invalid_json", mistake!.Code);
    }

    [Fact]
    public void Null_is_as_good_as_absent()
    {
        var scan = Read("""
            {"model":"m","messages":[1],"stream":null,"stream_options":null,"max_tokens":null,"n":null,"cache_salt":null}
            """);
        Assert.Equal((false, 0, 1), (scan.Stream, scan.MaxTokens, scan.Choices));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData(""","max_tokens":5""", 5)]
    [InlineData(""","max_tokens":5,"max_completion_tokens":9""", 9)]
    [InlineData(""","max_output_tokens":5""", 0)]
    [InlineData(""","n_predict":5""", 0)]
    [InlineData(""","n_predict":7,"max_tokens":5""", 7)]
    [InlineData(""","n_predict":-1,"max_tokens":5""", 0)]
    public void The_declared_limit_is_the_most_that_any_engine_may_take_it_for(string limits, int most) =>
        Assert.Equal(most, Read($$"""{"model":"m","messages":[1]{{limits}}}""").MaxTokens);

    internal static RequestScan Read(string body, Endpoint endpoint = Endpoint.Chat)
    {
        var scan = RequestScan.Read(Encoding.UTF8.GetBytes(body), endpoint, out var mistake);
        Assert.True(scan is not null, mistake?.Message);
        return scan;
    }
}
