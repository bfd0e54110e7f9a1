using TokenFactory.Performance;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance;

/// <summary>The table says what the model says, but for interpolation.</summary>
public sealed class StepTableTests
{
    private const double Close = 0.06;

    [Fact]
    public void Steps_are_near_the_model_s() => Cases.Check(100, dice =>
    {
        var model = Model(dice);
        var table = new StepTable(model);
        var groups = model.Deployment.AttentionGroups;
        var (sequences, context) = (groups * dice.Whole(1, 400), dice.Scale(200, 100_000));
        var exact = model.Decode((double)sequences / groups, sequences, context).Seconds;
        Nearly.Equal(exact, table.Decode(sequences, context), Close);
    });

    [Fact]
    public void Mixed_steps_are_near_the_model_s() => Cases.Check(100, dice =>
    {
        var model = Model(dice, dense: true);
        if (model.SeparatesPrompts)
            return;
        var table = new StepTable(model);
        var (sequences, tokens) = (dice.Whole(0, 200), dice.Whole(1, table.TokenBudget));
        var exact = model.Step(new StepShape(sequences, sequences * 1024.0, tokens, tokens * (tokens / 2.0), 1)).Seconds;
        Nearly.Equal(exact, table.Decode(sequences, 1024) + table.Prompt(tokens, 0, sequences), Close);
    });

    [Fact]
    public void Answers_do_not_depend_on_what_was_asked_before() => Cases.Check(30, dice =>
    {
        var model = Model(dice);
        var (used, fresh) = (new StepTable(model), new StepTable(model));
        for (var i = 0; i < 50; i++)
        {
            _ = used.Decode(dice.Whole(0, 999), dice.Scale(1, 1e6));
            _ = used.Prompt(dice.Whole(0, 99_999), dice.Scale(1, 1e5), dice.Whole(0, 999));
        }

        var (sequences, context, tokens) = (dice.Whole(0, 999), dice.Scale(1, 1e6), dice.Whole(0, 99_999));
        Assert.Equal(fresh.Decode(sequences, context), used.Decode(sequences, context));
        Assert.Equal(fresh.Prompt(tokens, context, sequences), used.Prompt(tokens, context, sequences));
    });

    private static ReplicaModel Model(Dice dice, bool dense = false)
    {
        var deployment = dense
            ? Serving.Deploy("llama-3.1-8b", Serving.Of(dice, ["h100-sxm", "a100-sxm-80gb", "h200-sxm", "mi300x"]))
            : Serving.Draw(dice);
        return new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped);
    }
}
