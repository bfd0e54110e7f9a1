using TokenFactory.Engine;
using TokenFactory.Tests.Simulation;
using TokenFactory.Units;

namespace TokenFactory.Tests.Engine;

/// <summary>A busy scheduler looks for new requests every few steps; an idle one takes them at once.</summary>
public sealed class ReceivingTests
{
    [Fact]
    public void A_busy_scheduler_sees_a_request_after_its_steps_and_an_idle_one_at_once()
    {
        var (alone, beside) = First(0);
        var (aloneLater, besideLater) = First(5);
        Assert.Equal(alone, aloneLater);
        var step = Engines.Model(Fleets.Small).Decode(1, 1, 150).Seconds;
        Assert.InRange(besideLater - beside, 4 * step, 6 * step);
    }

    [Fact]
    public void Who_was_not_seen_yet_is_taken_up_when_the_rest_is_done_and_can_be_cancelled()
    {
        var replica = Busy(1e6);
        var run = new ReplicaRun(replica);
        run.Submit(Engines.Ask(0, 100, 50), 0);
        var (waits, leaves) = (Engines.Ask(1, 100, 1), Engines.Ask(2, 100, 1));
        run.Submit(waits, 0.1);
        run.Submit(leaves, 0.1);
        run.At(Instant.AtSeconds(0.12), now => replica.Cancel(leaves, now));
        run.Run();
        Assert.True(run.When(EngineEventKind.Finished, 1) > run.When(EngineEventKind.Finished, 0));
        Assert.Contains(run.Log, told => told is { Id: 2, Kind: EngineEventKind.Cancelled });
    }

    private static (double Alone, double Beside) First(double steps)
    {
        var run = new ReplicaRun(Busy(steps));
        run.Submit(Engines.Ask(0, 100, 100), 0);
        run.Submit(Engines.Ask(1, 100, 1), 0.3);
        run.Run();
        return (run.When(EngineEventKind.FirstToken, 0).Seconds, run.When(EngineEventKind.FirstToken, 1).Seconds);
    }

    private static Replica Busy(double steps)
    {
        var deployment = Fleets.Small;
        return new Replica(Engines.Model(deployment, steps), EngineSettings.Of(deployment));
    }
}
