using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class AnswerScanTests
{
    [Theory]
    [InlineData("""{"usage":{"prompt_tokens":3,"total_tokens":3},"data":[{"embedding":[0.5]}]}""", 3, 0, 0, 0)]
    [InlineData("""{"choices":[{"text":"\"usage\":{}"}],"usage":{"prompt_tokens":3,"completion_tokens":2},"kv":null}""", 3, 0, 2, 0)]
    [InlineData("""{"usage":{"prompt_tokens":1,"completion_tokens":2},"x":{"usage":{"prompt_tokens":8,"completion_tokens":9}}}""", 1, 0, 2, 0)]
    [InlineData("""{"usage":{"prompt_tokens":1,"completion_tokens":2},"x":"usage","y":["usage"],"z":"\"usage"}""", 1, 0, 2, 0)]
    [InlineData("""{"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":9},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":1}}}""", 5, 5, 4, 1)]
    [InlineData("""{"usage":{"prompt_tokens":5.0,"completion_tokens":null,"prompt_tokens_details":null,"reasoning_tokens":2}}""", 5, 0, 0, 0)]
    public void Usage_of_a_whole_answer_is_found(string json, long prompt, long cached, long output, long reasoning) =>
        Assert.Equal(new Usage(prompt, cached, output, reasoning), AnswerScan.UsageOf(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("")]
    [InlineData("""{"choices":[{"text":"usage"}]}""")]
    [InlineData("""{"x":{"usage":{"prompt_tokens":8,"completion_tokens":9}}}""")]
    [InlineData("""{"usage":{"prompt_tokens":-1,"completion_tokens":9}}""")]
    [InlineData("""{"usage":{"prompt_tokens":1,"completion_tokens":1000000000001}}""")]
    [InlineData("""{"usage":{"prompt_tokens":"1","completion_tokens":1}}""")]
    [InlineData("""{"usage":{"prompt_tokens":1.5}}""")]
    [InlineData("""{"usage":{}}""")]
    [InlineData("""{"usage":null}""")]
    [InlineData("""{"usage":{"prompt_tokens":1,"completion_tokens":1}""")]
    public void Usage_that_is_not_there_or_cannot_be_is_none(string json) => Assert.Null(AnswerScan.UsageOf(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Errors_have_the_shape_and_the_types_that_clients_know()
    {
        using var json = JsonDocument.Parse(ApiError.Json(429, "Too \"many\", isn't.", "n", "rate_limit_exceeded"));
        var error = json.RootElement.GetProperty("error");
        Assert.Equal(
            """{"message":"Too \"many\", isn't.","type":"rate_limit_error","param":"n","code":"rate_limit_exceeded"}""", error.GetRawText());
        Assert.Contains("\"param\":null,\"code\":null", Encoding.UTF8.GetString(ApiError.Json(400, "x", null, null)));
        string[] types =
        [
            "invalid_request_error", "authentication_error", "insufficient_quota", "permission_error", "not_found_error", "api_error",
            "overloaded_error",
        ];
        Assert.Equal(types, new[] { 400, 401, 402, 403, 404, 500, 503 }.Select(status => ApiError.TypeOf(status)));
        Assert.Equal("insufficient_quota", ApiError.TypeOf(429, "insufficient_quota"));
    }
}
