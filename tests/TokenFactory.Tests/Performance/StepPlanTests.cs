using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Performance;

/// <summary>The time of a step: finite, growing with the work, shrinking with better hardware.</summary>
public sealed class StepPlanTests
{
    [Fact]
    public void Every_term_is_finite_and_not_negative() => Cases.Check(400, dice =>
    {
        var plan = Serving.Plan(Serving.Draw(dice));
        var terms = plan.Terms(Shape(dice, plan.Deployment.AttentionGroups));
        foreach (var term in Enum.GetValues<StepTerm>())
            Assert.True(double.IsFinite(terms[term]) && terms[term] >= 0, $"{Serving.Named(plan.Deployment)}: {term} is {terms[term]}");
        Assert.True(Sum(terms) > 0);
    });

    [Fact]
    public void Decoding_grows_with_sequences_and_context_under_any_factors() => Cases.Check(400, dice =>
    {
        var plan = Serving.Plan(Serving.Draw(dice));
        var groups = plan.Deployment.AttentionGroups;
        var (sequences, context, more) = (dice.Scale(1, 500), dice.Scale(16, 100_000), dice.Real(1, 3));
        var terms = plan.Terms(StepShape.Decode(sequences, context, groups));
        var crowded = plan.Terms(StepShape.Decode(sequences * more, context, groups));
        var longer = plan.Terms(StepShape.Decode(sequences, context * more, groups));
        foreach (var term in Enum.GetValues<StepTerm>())
        {
            Assert.True(crowded[term] >= terms[term] * (1 - 1e-9), $"{Serving.Named(plan.Deployment)}: {term} of more sequences");
            Assert.True(longer[term] >= terms[term] * (1 - 1e-9), $"{Serving.Named(plan.Deployment)}: {term} of longer contexts");
        }
    });

    [Fact]
    public void A_step_grows_with_prompts_and_with_what_decodes_beside_them() => Cases.Check(400, dice =>
    {
        var plan = Serving.Plan(Serving.Draw(dice));
        var shape = Shape(dice, plan.Deployment.AttentionGroups) with { PrefillTokens = 0, PrefillPairs = 0, PrefillChunks = 0 };
        var without = Sum(plan.Terms(shape));
        var tokens = dice.Scale(1, 8192);
        var some = Prompt(shape, tokens, dice.Scale(1, 10_000));
        var more = Prompt(shape, tokens * dice.Real(1, 4), some.PrefillContext);
        Assert.True(Sum(plan.Terms(some)) >= without * (1 - 1e-9), $"{Serving.Named(plan.Deployment)}: a prompt makes the step shorter");
        Assert.True(Sum(plan.Terms(more)) >= Sum(plan.Terms(some)) * (1 - 1e-9), $"{Serving.Named(plan.Deployment)}: a longer prompt does");
        var crowd = some with { DecodeSequences = some.DecodeSequences + 8, DecodeContextTokens = some.DecodeContextTokens + (8 * some.DecodeContext) };
        Assert.True(Sum(plan.Terms(crowd)) >= Sum(plan.Terms(some)) * (1 - 1e-9), $"{Serving.Named(plan.Deployment)}: more sequences do");

        static StepShape Prompt(StepShape shape, double tokens, double context) =>
            shape with { PrefillTokens = tokens, PrefillPairs = tokens * context, PrefillChunks = 1 };
    });

    [Fact]
    public void A_better_data_sheet_never_slows_a_step() => Cases.Check(150, dice =>
    {
        var d = Serving.Draw(dice);
        // Kin of unmeasured GPUs are chosen by bandwidth, so only the measured ones are compared under another.
        if (Serving.Kernels(d.Gpu).Gemm(NumberFormat.Bf16).From.Kind != SourceKind.Measured)
            d = d with { Gpu = Serving.Gpu("h100-sxm") };
        var by = dice.Real(1.01, 1.2);
        var decode = StepShape.Decode(dice.Scale(1, 300), dice.Scale(16, 50_000), d.AttentionGroups);
        NotSlower(d.Gpu with { MemoryBandwidth = d.Gpu.MemoryBandwidth.As(v => new BytesPerSecond(v.Value * by)) }, decode);
        var prompt = new StepShape(0, 0, 8192, 8192 * 4096.0, 1);
        var faster = d.Gpu with { Bf16 = Faster(d.Gpu.Bf16), Fp8 = Faster(d.Gpu.Fp8), Fp4 = Faster(d.Gpu.Fp4), Int8 = Faster(d.Gpu.Int8) };
        NotSlower(faster, prompt);
        NotSlower(faster, decode);

        Sourced<FlopsPerSecond>? Faster(Sourced<FlopsPerSecond>? rate) => rate.As(v => new FlopsPerSecond(v.Value * by));

        void NotSlower(Accelerator better, StepShape shape)
        {
            var (own, other) = (Sum(Serving.Plan(d).Terms(shape)), Sum(Serving.Plan(d with { Gpu = better }).Terms(shape)));
            Assert.True(other <= own * (1 + 1e-9), $"{Serving.Named(d)}: {own} s, with {by} times the figure {other} s");
        }
    });

    [Fact]
    public void Formats_without_units_win_nothing_on_long_prompts()
    {
        var model = Serving.Model("llama-3.1-8b");
        var prompt = new StepShape(0, 0, 8192, 8192 * 4096.0, 1);
        var without = Serving.Gpus.Where(gpu => gpu.Fp8 is null && gpu.Bf16 is not null).ToList();
        Assert.NotEmpty(without);
        foreach (var gpu in without)
        {
            var (wide, narrow) = (Gemm(gpu, NumberFormat.Bf16), Gemm(gpu, NumberFormat.Fp8));
            Assert.True(narrow >= wide * 0.9, $"{gpu.Key}: {narrow} s in 8 bits, {wide} s in 16"); // measured kernels scatter by a tenth
        }

        double Gemm(Accelerator gpu, NumberFormat format) =>
            Serving.Plan(Serving.Deploy(model, gpu, format, new Parallelism(1, 1, 1, 1))).Terms(prompt)[StepTerm.PrefillGemm];
    }

    [Fact]
    public void Evaluating_a_step_allocates_nothing()
    {
        var dense = Serving.Plan(Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Fp8, tp: 8));
        var experts = Serving.Plan(Serving.Deploy("deepseek-v3", "b200", NumberFormat.Fp8, dp: 8, ep: 8));
        var factors = CalibrationSet.Prior.Steps[CalibrationSet.AnyStack];
        var sum = Step(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 2000; i++)
            sum += Step(i);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(double.IsFinite(sum));

        double Step(int i) => dense.Terms(StepShape.Decode(i, 4096)).Dot(factors)
            + experts.Terms(StepShape.Decode(i, 4096, 8)).Dot(factors)
            + dense.Terms(new StepShape(i, i * 4096.0, 512, 512 * 256.0, 1)).Scaled(factors, 1).Plus(default).Dot(factors);
    }

    [Fact]
    public void Splitting_a_large_model_over_fast_links_pays_and_a_small_one_over_slow_links_does_not()
    {
        foreach (var calibration in Serving.Both)
        {
            double[] large = [.. new[] { 2, 4, 8 }.Select(tp => Step(Serving.Deploy("llama-3.1-70b", "h200-sxm", tp: tp), 8, calibration))];
            Assert.True(large[1] < 0.75 * large[0] && large[2] < 0.85 * large[1], string.Join(' ', large));
            var (one, eight) = (
                Step(Serving.Deploy("qwen3-0.6b", "rtx-5090"), 8, calibration), Step(Serving.Deploy("qwen3-0.6b", "rtx-5090", tp: 8), 8, calibration));
            Assert.True(eight >= one, $"{one} s on one, {eight} s on eight");
        }

        static double Step(Deployment d, int sequences, CalibrationSet calibration) =>
            Serving.Plan(d).Terms(StepShape.Decode(sequences, 256)).Dot(calibration.StepsOf(Traits.Of(d, disaggregated: false)));
    }

    [Fact]
    public void Communication_wins_in_the_end()
    {
        var shape = StepShape.Decode(8, 2048);
        double[] times = [.. new[] { 1, 8, 64 }.Select(tp => Sum(Serving.Plan(Serving.Deploy("llama-3.1-8b", "h100-sxm", tp: tp)).Terms(shape)))];
        Assert.True(times[2] > times[1], string.Join(' ', times));
    }

    private static StepShape Shape(Dice dice, int groups)
    {
        var sequences = dice.Chance(0.1) ? 0 : dice.Whole(1, 400);
        var shape = StepShape.Decode(sequences, dice.Scale(1, 100_000), groups);
        if (!dice.Chance(0.5))
            return shape;
        var tokens = dice.Whole(1, 16384);
        return shape with { PrefillTokens = tokens, PrefillPairs = tokens * dice.Scale(1, 50_000), PrefillChunks = dice.Whole(1, 4) };
    }

    private static double Sum(StepTerms terms) => Enum.GetValues<StepTerm>().Sum(term => terms[term]);
}
