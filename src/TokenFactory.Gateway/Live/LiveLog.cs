using Microsoft.Extensions.Logging;

namespace TokenFactory.Gateway.Live;

/// <summary>What the live fleet logs: replicas and their states; never a request's content.</summary>
internal static partial class LiveLog
{
    public static void Turned(ILogger logger, string replica, string state, string why)
    {
        if (why.Length == 0)
            Turned(logger, replica, state);
        else
            TurnedAs(logger, replica, state, why);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Replica} is {State}")]
    private static partial void Turned(ILogger logger, string replica, string state);

    [LoggerMessage(EventName = "Turned", Level = LogLevel.Information, Message = "Replica {Replica} is {State}: {Why}")]
    private static partial void TurnedAs(ILogger logger, string replica, string state, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Replica} was found")]
    public static partial void Found(ILogger logger, string replica);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Replica} has left")]
    public static partial void Left(ILogger logger, string replica);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Replica} has ended what it ran when the gateway stopped or its file changed")]
    public static partial void Ended(ILogger logger, string replica);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A look at replica {Replica} failed: {Why}")]
    public static partial void LookFailed(ILogger logger, string replica, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Replica {Replica}: {Why}")]
    public static partial void TellsNoLoad(ILogger logger, string replica, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Discover} cannot be resolved, its replicas stay as they are: {Why}")]
    public static partial void NotResolved(ILogger logger, string discover, string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Name} is no longer watched")]
    public static partial void NoLongerWatched(ILogger logger, string name);
}
