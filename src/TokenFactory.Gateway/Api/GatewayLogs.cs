using Microsoft.Extensions.Logging;

namespace TokenFactory.Gateway.Api;

/// <summary>Everything that the gateway logs of requests: identities, never content or keys.</summary>
internal sealed partial class GatewayLogs(ILogger logger)
{
    /// <summary>A record could not be kept.</summary>
    [LoggerMessage(1, LogLevel.Error, "The record of request {request_id} could not be kept, so its answer was not given")]
    public partial void RecordLost(string request_id, Exception lost);

    /// <summary>Something that should not happen did.</summary>
    [LoggerMessage(2, LogLevel.Error, "Request to {path} failed within the gateway")]
    public partial void Broken(string path, Exception broken);

    /// <summary>A request was sent again.</summary>
    [LoggerMessage(3, LogLevel.Warning, "Request {request_id} failed on {replica}: {problem}; {decision}")]
    public partial void Retried(string request_id, string replica, string problem, string decision);
}
