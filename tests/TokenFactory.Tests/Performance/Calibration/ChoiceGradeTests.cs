using TokenFactory.Performance.Calibration;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>What choosing by prediction loses, on hand-made and on random sets.</summary>
public sealed class ChoiceGradeTests
{
    [Fact]
    public void The_best_that_is_held_to_keep_the_limit_is_chosen()
    {
        var set = Set(50, Of("a", 1, 40, 100, 45, 90), Of("a", 2, 48, 180, 52, 170), Of("b", 1, 30, 150, 35, 120));
        var pick = Assert.Single(ChoiceRules.Predicted(set));
        Assert.Equal(("b", true, true), (pick.Candidate.Configuration.Layout, pick.Promised, pick.Keeps));
        Nearly.Equal(1 - (150.0 / 180), pick.Regret);
        Nearly.Equal(pick.Regret, pick.Loss);
        Assert.Equal(Difference.Layout, pick.Difference);
    }

    [Fact]
    public void Who_breaks_the_limit_has_no_regret_but_falls_back_within_its_deployment()
    {
        var set = Set(
            50, Of("a", 1, 30, 80, 30, 80), Of("a", 2, 40, 100, 35, 120), Of("a", 4, 60, 300, 45, 200), Of("b", 1, 49, 160, 60, 150));
        var pick = Assert.Single(ChoiceRules.Predicted(set));
        Assert.Equal((4.0, false, 0.0), (pick.Candidate.Configuration.Concurrency, pick.Keeps, pick.Regret));
        Assert.Equal(2, pick.Kept!.Configuration.Concurrency);
        Nearly.Equal(1 - (100.0 / 160), pick.Loss);
        Nearly.Equal(0.2, pick.Excess);
        var grade = ChoiceGrade.Of([set], ChoiceRules.Predicted)!;
        Assert.Equal((1.0, 1.0, 0.0, 1.0), (grade.Breaks, grade.BreaksFar, grade.TopThree, grade.TopThreeKept));
    }

    [Fact]
    public void Everything_is_lost_where_nothing_is_left_or_nothing_was_promised()
    {
        // A higher concurrency of the same deployment, or another deployment, is no way back.
        var stuck = Set(50, Of("a", 2, 60, 300, 45, 200), Of("a", 4, 49, 120, 70, 100), Of("b", 1, 30, 100, 30, 90));
        Assert.Equal((null, 1.0), (Assert.Single(ChoiceRules.Predicted(stuck)).Kept, Assert.Single(ChoiceRules.Predicted(stuck)).Loss));
        var refused = Set(50, Of("a", 1, 40, 100, 55, 90), Of("a", 2, 70, 200, 80, 120));
        var pick = Assert.Single(ChoiceRules.Predicted(refused));
        Assert.Equal((1.0, false, 0.0, 1.0), (pick.Candidate.Configuration.Concurrency, pick.Promised, pick.Regret, pick.Loss));
        var grade = ChoiceGrade.Of([stuck, refused], ChoiceRules.Predicted)!;
        Assert.Equal((0.5, 0.5, 1.0, 0.0), (grade.Refused, grade.Breaks, grade.MeanLoss, grade.TopThree));
    }

    [Fact]
    public void Where_nothing_measured_keeps_the_limit_only_promises_are_judged()
    {
        var possible = Set(50, Of("a", 1, 40, 100, 40, 100), Of("a", 2, 60, 150, 60, 150));
        var promised = Set(20, Of("a", 1, 40, 100, 15, 100), Of("a", 2, 60, 150, 60, 150));
        var silent = Set(20, Of("a", 1, 40, 100, 30, 100), Of("a", 2, 60, 150, 60, 150));
        var grade = ChoiceGrade.Of([possible, promised, silent], ChoiceRules.Predicted)!;
        Assert.Equal((1, 2, 0.5, 0.0), (grade.Choices, grade.Impossible, grade.PromisedAnyway, grade.MeanLoss));
        Assert.Null(ChoiceGrade.Of([promised], ChoiceRules.Predicted));
        Assert.Null(ChoiceGrade.Of([], ChoiceRules.AtRandom));
    }

    [Fact]
    public void A_margin_gives_up_what_lies_near_the_limit()
    {
        var band = new ErrorBand(Metric.Tpot, "*", 100, 9, 0.1, 0.15, 1.3);
        var set = Set(50, Of("a", 1, 30, 100, 35, 90) with { Band = band }, Of("a", 2, 45, 180, 44, 170) with { Band = band });
        Assert.Equal(2, Assert.Single(ChoiceRules.Confident(0.6)(set)).Candidate.Configuration.Concurrency);
        Assert.Equal(1, Assert.Single(ChoiceRules.Confident(0.9)(set)).Candidate.Configuration.Concurrency);
        Assert.Equal(1, Assert.Single(ChoiceRules.WithMargin(1.2)(set)).Candidate.Configuration.Concurrency);
        Assert.Equal(2, Assert.Single(ChoiceRules.WithMargin(1.1)(set)).Candidate.Configuration.Concurrency);
    }

    [Fact]
    public void The_margin_of_a_cell_is_the_best_of_the_others()
    {
        // In cells a and b predictions are 30 % too fast, in c they are right: each is judged by the margin that suits the others.
        ChoiceSet Cell(string name, double truth) =>
            Set(50, Of("x", 1, 30 * truth, 100, 30, 100), Of("y", 2, 45 * truth, 180, 45, 180)) with { Cell = name };
        ChoiceSet[] sets = [Cell("a", 1.3), Cell("b", 1.3), Cell("c", 1)];
        var (rule, margins) = ChoiceRules.CrossValidated(sets);
        Assert.Equal((1.15, 1.15), (margins["a"], margins["c"]));
        Nearly.Equal(1 - (100.0 / 180), Assert.Single(rule(sets[2])).Loss);
        Assert.True(Assert.Single(rule(sets[0])).Keeps);
        Assert.False(Assert.Single(ChoiceRules.Predicted(sets[0])).Keeps);
    }

    [Fact]
    public void Rules_of_thumb_choose_as_they_say()
    {
        var set = Set(50, Of("a", 1, 30, 100, 0, 0), Of("a", 2, 45, 150, 0, 0), Of("a", 4, 60, 250, 0, 0), Of("b", 4, 40, 200, 0, 0));
        Assert.Equal(["a", "b"], ChoiceRules.Fullest(set).Select(pick => pick.Candidate.Configuration.Layout));
        Assert.Equal(150, Assert.Single(ChoiceRules.TestedUsual(set)).Candidate.Tokens);
        Assert.Equal(4, ChoiceRules.AtRandom(set).Count);
        Assert.False(Assert.Single(ChoiceRules.TestedUsual(Set(20, [.. set.Candidates]))).Promised);
    }

    [Fact]
    public void What_is_predicted_as_measured_is_chosen_best_and_only_the_truth_of_keeping_matters() => Cases.Check(200, dice =>
    {
        var sets = Draw(dice);
        var exact = sets.Select(set => set with
        {
            Candidates = [.. set.Candidates.Select(each => each with { PredictedTpot = each.Tpot, PredictedTokens = each.Tokens })],
        }).ToList();
        if (ChoiceGrade.Of(exact, ChoiceRules.Predicted) is not { } perfect)
            return;
        Assert.Equal((0.0, 0.0, 1.0, 0.0, 0.0), (perfect.MeanRegret, perfect.MeanLoss, perfect.TopThree, perfect.Breaks, perfect.Refused));
        var knowing = ChoiceGrade.Of(sets, ChoiceRules.KnowingTimes)!;
        Assert.Equal((0.0, knowing.MeanRegret), (knowing.Breaks, knowing.MeanLoss));
    });

    [Fact]
    public void Grades_are_what_counting_each_choice_by_hand_gives() => Cases.Check(200, dice =>
    {
        var sets = Draw(dice);
        ChoiceRule rule = dice.Whole(0, 3) switch
        {
            0 => ChoiceRules.Predicted,
            1 => ChoiceRules.Fullest,
            2 => ChoiceRules.AtRandom,
            _ => ChoiceRules.WithMargin(1.2),
        };
        var losses = new List<double>();
        foreach (var set in sets.Where(set => set.Candidates.Any(each => each.Tpot <= set.Limit)))
        {
            var best = set.Candidates.Where(each => each.Tpot <= set.Limit).Max(each => each.Tokens);
            losses.Add(rule(set).Average(pick =>
            {
                double left = 0;
                foreach (var other in set.Candidates.Where(each => pick.Promised && each.Tpot <= set.Limit))
                {
                    var (mine, theirs) = (pick.Candidate.Configuration, other.Configuration);
                    var way = mine == theirs || (!pick.Keeps && mine.Layout == theirs.Layout && theirs.Concurrency < mine.Concurrency);
                    left = Math.Max(left, way ? other.Tokens : 0);
                }

                return 1 - (left / best);
            }));
        }

        var grade = ChoiceGrade.Of(sets, rule);
        Assert.Equal(losses.Count, grade?.Choices ?? 0);
        if (grade is null)
            return;
        Nearly.Equal(losses.Average(), grade.MeanLoss, 1e-9);
        Assert.True(grade.BreaksFar <= grade.Breaks && grade.TopThree <= grade.TopThreeKept, $"{grade}");
        Assert.Equal(sets.Count, grade.Choices + grade.Impossible);
    });

    [Fact]
    public void Neither_order_nor_the_scale_of_predicted_throughput_matters() => Cases.Check(100, dice =>
    {
        var sets = Draw(dice);
        var scale = dice.Scale(0.01, 100);
        var turned = dice.Shuffled(sets.Select(set => set with
        {
            Candidates = [.. dice.Shuffled(set.Candidates).Select(each => each with { PredictedTokens = each.PredictedTokens * scale })],
        }));
        if (ChoiceGrade.Of(sets, ChoiceRules.Predicted) is not { } grade)
            return;
        var other = ChoiceGrade.Of(turned, ChoiceRules.Predicted)!;
        Nearly.Equal(grade.MeanLoss, other.MeanLoss, 1e-9);
        Nearly.Equal(grade.Promise * scale, other.Promise, 1e-9);
        Assert.Equal(grade.TopThree, other.TopThree, 9);
    });

    [Fact]
    public void Known_errors_of_deployments_are_taken_off() => Cases.Check(100, dice =>
    {
        var candidates = Draw(dice)[0].Candidates;
        var off = candidates.Select(each => each.Configuration.Layout).Distinct()
            .ToDictionary(layout => layout, _ => (dice.Scale(0.3, 3), dice.Scale(0.3, 3)));
        var wrong = candidates.Select(each => each with
        {
            PredictedTpot = each.Tpot * off[each.Configuration.Layout].Item1,
            PredictedTokens = each.Tokens * off[each.Configuration.Layout].Item2,
        });
        Assert.All(Candidate.Unbiased(wrong), each =>
        {
            Nearly.Equal(each.Tpot, each.PredictedTpot, 1e-9);
            Nearly.Equal(each.Tokens, each.PredictedTokens, 1e-9);
        });
    });

    [Fact]
    public void Cells_and_workloads_with_too_few_configurations_are_left_out()
    {
        var eight = Enumerable.Range(1, 8).Select(i => Of("a", i, 10 * i, 10 * i, 10 * i, 10 * i)).ToList();
        Assert.Equal(4, ChoiceSet.Of(eight, ChoiceGrade.Limits, 8).Count);
        Assert.Empty(ChoiceSet.Of(eight.Take(7), ChoiceGrade.Limits, 8));
        var split = eight.Select((each, i) => each with { Workload = i == 0 ? "alone" : "with others" }).ToList();
        Assert.All(ChoiceSet.Of(split, ChoiceGrade.Limits, 8), set => Assert.Equal("with others", set.Workload));
        Assert.Empty(ChoiceSet.Of(split, ChoiceGrade.Limits, 8, 8));
    }

    private static Candidate Of(string layout, double concurrency, double tpot, double tokens, double soon, double many) =>
        new("m|g", "1024 / 1024", new Configuration("vllm", "fp8", layout, false, false, 1, concurrency), tpot, tokens, soon, many);

    private static ChoiceSet Set(double limit, params Candidate[] candidates) => new("m|g", "1024 / 1024", limit, candidates);

    private static List<ChoiceSet> Draw(Dice dice) => dice.Many(1, 6, () =>
    {
        var candidates = Enumerable.Range(0, dice.Whole(2, 12)).Select(i => Of(
            $"l{i % 3}", 1 + i, dice.Scale(5, 200), dice.Scale(10, 1000), dice.Scale(5, 200), dice.Scale(10, 1000)));
        return Set(ChoiceGrade.Limits[dice.Whole(0, 3)], [.. candidates]) with { Cell = $"c{dice.Whole(0, 2)}" };
    });
}
