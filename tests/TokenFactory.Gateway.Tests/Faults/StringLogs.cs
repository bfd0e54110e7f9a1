using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Telemetry;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>The gateway's logs as it would write them on standard error.</summary>
internal sealed class StringLogs : IDisposable
{
    private readonly StringWriter _text = new();
    private readonly JsonLogs _logs;

    public StringLogs(LogLevel least = LogLevel.Information) =>
        _logs = new JsonLogs(TextWriter.Synchronized(_text), TimeProvider.System, least);

    public ILoggerProvider Provider => _logs;

    /// <summary>All that was logged; ask when the gateway has stopped.</summary>
    public string Text
    {
        get
        {
            _logs.Dispose();
            return _text.ToString();
        }
    }

    public void Dispose()
    {
        _logs.Dispose();
        _text.Dispose();
    }
}
