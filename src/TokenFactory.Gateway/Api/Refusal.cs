namespace TokenFactory.Gateway.Api;

/// <summary>Why a request is not served, as the client is told.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">OpenAI's code, or ours.</param>
/// <param name="Message">Who, which limit, its value, when to come back.</param>
/// <param name="Param">The field or header that is wrong; null where it is none.</param>
/// <param name="RetrySeconds">When to come back, in seconds from now; null where that is no use.</param>
internal sealed record Refusal(int Status, string Code, string Message, string? Param = null, double? RetrySeconds = null);
