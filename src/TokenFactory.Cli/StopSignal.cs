using System.Runtime.InteropServices;

namespace TokenFactory.Cli;

/// <summary>Waits until the user wants an end: Ctrl-C, or SIGTERM from whoever looks after the process.</summary>
internal static class StopSignal
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Returns when the user wants an end. A second Ctrl-C ends the process.</summary>
    /// <param name="terminal">Where Ctrl-C is heard.</param>
    /// <param name="over">Returns too: nobody waits any more.</param>
    public static async Task WaitAsync(Terminal terminal, CancellationToken over = default)
    {
        var stopped = false;
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            Volatile.Write(ref stopped, true);
        });
        while (!Volatile.Read(ref stopped) && !over.IsCancellationRequested && !terminal.Stopped())
            await Task.Delay(Look, CancellationToken.None);
    }
}
