using Microsoft.Extensions.Hosting;

namespace TokenFactory.Gateway.Setup;

/// <summary>
/// A server that hears no signals: whoever started the process does, and stops servers in order. Usual hosts would take Ctrl-C and SIGTERM for
/// themselves, also before anybody listens for them, and keep a second one from ending the process.
/// </summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
