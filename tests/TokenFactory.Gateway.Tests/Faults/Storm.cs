using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>Tests that measure the process's memory run while no other does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Very many cases, many at once, each a function of its seed, which a failure tells and TOKENFACTORY_SEED replays alone.</summary>
internal static class Storm
{
    private const int Width = 48;
    private const int First = 20_261_122;

    private static readonly string? Only = Environment.GetEnvironmentVariable("TOKENFACTORY_SEED");

    /// <summary>Runs cases.</summary>
    /// <param name="from">Number of the first.</param>
    /// <param name="count">How many.</param>
    /// <param name="law">What holds in each.</param>
    public static async Task RunAsync(int from, int count, Func<Dice, Task> law)
    {
        if (int.TryParse(Only, out var only))
        {
            await law(new Dice(only));
            return;
        }

        var (next, failed) = (from - 1, false);
        await Task.WhenAll(Enumerable.Range(0, Width).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i < from + count && !Volatile.Read(ref failed); i = Interlocked.Increment(ref next))
            {
                try
                {
                    await law(new Dice(First + i));
                }
                catch (Exception broken)
                {
                    Volatile.Write(ref failed, true);
                    throw new InvalidOperationException($"Case with seed {First + i} (TOKENFACTORY_SEED replays it): {broken.Message}", broken);
                }
            }
        })));
    }

    /// <summary>Waits until something holds; the guard is only for when it never does.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what)
    {
        var guard = DateTime.UtcNow.AddSeconds(60);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < guard, $"after 60 s still not: {what}");
            await Task.Yield();
        }
    }

    /// <summary>Bytes that live after all that is dead was collected.</summary>
    public static long LivingBytes()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
