namespace TokenFactory.Gateway.Tenants;

/// <summary>Why a caller is refused: in words, and in the terms of HTTP and of OpenAI.</summary>
/// <param name="Status">HTTP status: 401 for no valid key, 403 for what it may not do, 429 for a limit.</param>
/// <param name="Code">OpenAI's code: "invalid_api_key", "rate_limit_exceeded", "insufficient_quota".</param>
/// <param name="Message">Who, which limit, its value, the remedy.</param>
/// <param name="RetryAfterSeconds">When to come back, in seconds from now; null where waiting does not help.</param>
public sealed record Refused(int Status, string Code, string Message, double? RetryAfterSeconds = null);
