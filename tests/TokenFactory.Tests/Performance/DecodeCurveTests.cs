using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance;

/// <summary>Pieces say what the model of the replica says.</summary>
public sealed class DecodeCurveTests
{
    private const long Parts = DecodeCurve.TokenParts;

    /// <summary>Over the whole catalog, windows and picked keys included: pieces end where attention bends.</summary>
    private const double Time = 1e-5;

    /// <summary>Watts bend where the board reaches its limit: measured 2.7 % at most, of llama-3.1-70b at 256 sequences of 40,000.</summary>
    private const double Joules = 3e-2;

    [Fact]
    public void Pieces_are_near_the_model_for_every_model_of_the_catalog()
    {
        var far = new List<string>();
        foreach (var shape in Serving.Models)
        {
            var model = Model(shape);
            var curve = new DecodeCurve(model);
            foreach (var sequences in (int[])[1, 8, 61, 256])
            {
                for (var context = 1.0; context < 200_000; context *= 1.7)
                {
                    var parts = (long)context * sequences * Parts;
                    var (piece, exact) = (curve.Piece(sequences, sequences, parts), model.Decode(sequences, sequences, (long)context));
                    var seconds = piece.TimeAt(parts) / (1e9 * DecodeCurve.Unit);
                    var (time, joules) = (Math.Abs((seconds / exact.Seconds) - 1), Math.Abs((piece.JoulesAt(parts) / exact.Joules) - 1));
                    if (time > Time || joules > Joules)
                        far.Add($"{shape.Key}: {sequences} x {context:0}: time {time:0.#####}, joules {joules:0.#####}");
                }
            }
        }

        Assert.True(far.Count == 0, string.Join('\n', far));
    }

    [Fact]
    public void Pieces_meet_where_they_end() => Cases.Check(60, dice =>
    {
        var shape = Serving.Of(dice, Serving.Models);
        var curve = new DecodeCurve(Model(shape));
        var sequences = dice.Whole(1, 300);
        for (var parts = sequences * Parts; parts < 150_000L * sequences * Parts;)
        {
            var piece = curve.Piece(sequences, sequences, parts);
            Assert.Equal(parts, piece.From);
            Assert.Same(piece, curve.Piece(sequences, sequences, piece.To - 1));
            var next = curve.Piece(sequences, sequences, piece.To);
            Nearly.Equal(next.TimeAt(piece.To), piece.TimeAt(piece.To), 1e-5);
            Nearly.Equal(next.JoulesAt(piece.To), piece.JoulesAt(piece.To), 1e-9);
            Assert.True(piece.TimeSlope >= 0);
            parts = piece.To;
        }
    });

    [Fact]
    public void A_power_cap_is_kept_in_every_step_and_a_higher_one_is_never_slower() => Cases.Check(60, dice =>
    {
        var drawn = Serving.Draw(dice);
        if (drawn.Gpu.Tdp is not { } tdp)
            return;
        var lower = tdp.Value.Value * dice.Real(Deployment.LeastPowerCap, 1);
        var caps = new[] { lower, dice.Real(lower, tdp.Value.Value * 1.1) };
        var (low, high) = (Capped(caps[0]), Capped(caps[1]));
        for (var i = 0; i < 40; i++)
        {
            var (sequences, context, tokens) = (dice.Whole(0, 256), dice.Scale(1, 1e5), dice.Chance(0.5) ? dice.Whole(1, 8192) : 0);
            if (sequences + tokens == 0)
                continue;
            var step = new StepShape(sequences, sequences * context, tokens, tokens * (tokens / 2.0), tokens > 0 ? 1 : 0);
            var (slow, fast) = (low.Step(step), high.Step(step));
            Assert.True(slow.Watts <= caps[0] * drawn.Gpus, $"{slow.Watts} W at a cap of {caps[0] * drawn.Gpus}");
            Assert.True(fast.Watts <= caps[1] * drawn.Gpus, $"{fast.Watts} W at a cap of {caps[1] * drawn.Gpus}");
            Assert.True(fast.Seconds <= slow.Seconds * (1 + 1e-12), $"{fast.Seconds} s at {caps[1]} W, {slow.Seconds} s at {caps[0]} W");
        }

        ReplicaModel Capped(double watts)
        {
            var deployment = drawn with { PowerCap = new(watts) };
            return new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped);
        }
    });

    [Fact]
    public void A_cap_below_what_the_gpu_draws_idle_still_ends_every_step()
    {
        var deployment = Serving.Deploy("llama-3.1-8b", "h100-sxm") with { PowerCap = new(1) };
        var step = new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped).Decode(8, 8, 1000);
        Assert.True(double.IsFinite(step.Seconds) && step.Seconds > 0);
    }

    [Fact]
    public void Blocks_of_the_cache_are_what_its_memory_holds() => Cases.Check(200, dice =>
    {
        var deployment = Serving.DrawFitting(dice, 4096) with { MaxSequences = null };
        var (capacity, block, context) = (new KvCapacity(deployment), 1 << dice.Whole(0, 6), dice.Whole(1, 100_000));
        var cache = capacity.Paged(block);
        if (cache.Grows && block == KvCapacity.BlockTokens)
            Assert.Equal(capacity.Blocks, cache.Blocks);
        var each = cache.FixedBlocks + (cache.Grows ? (context + block - 1) / block : 0);
        var (paged, plain) = ((double)cache.Blocks / each, capacity.Sequences(context) / deployment.AttentionGroups);
        var far = deployment.Model.Attention.All(group => group.VisibleTokens is not { } seen || seen <= context);
        Assert.True(paged <= plain * (1 + 1e-3), $"{Serving.Named(deployment)}: {paged} sequences of {context} in blocks, {plain} in bytes");
        if (far) // but for whole blocks
            Assert.True(paged >= (plain * (each - 2.0) / each) - 1, $"{Serving.Named(deployment)}: {paged} sequences of {context} in blocks, {plain} in bytes");
    });

    private static ReplicaModel Model(ModelShape shape)
    {
        var deployment = Serving.Deploy(shape, Serving.Gpu("b200"), NumberFormat.Fp8, new Parallelism(8));
        return new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped);
    }
}
