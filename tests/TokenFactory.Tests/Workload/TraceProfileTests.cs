using TokenFactory.Tests.Laws;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Tests.Workload;

/// <summary>What is said of a trace is what it holds, and what is fitted to it resembles it.</summary>
public sealed class TraceProfileTests
{
    [Fact]
    public void A_histogram_is_within_half_a_per_cent_and_adds_up() =>
        Cases.Check(50, dice =>
        {
            var values = dice.Many(1, 3000, () => dice.Scale(1e-6, 1e9));
            var (one, other, all) = (new LogHistogram(), new LogHistogram(), new LogHistogram());
            foreach (var (value, i) in values.Select((value, i) => (value, i)))
            {
                all.Add(value);
                (i % 3 == 0 ? one : other).Add(value);
            }

            one.Add(other);
            var sorted = values.Order().ToList();
            foreach (var share in new[] { 0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1 })
            {
                var exact = sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];
                Nearly.Equal(exact, all.At(share), LogHistogram.RelativeError + 1e-9);
                Assert.Equal(all.At(share), one.At(share));
            }

            Assert.Equal((sorted[0], sorted[^1], values.Count), (all.Min, all.Max, all.Count));
            Nearly.Equal(values.Average(), one.Mean, 1e-9);
            Assert.Equal(values.Count(value => value <= 1), all.CountUpTo(1), values.Count * 0.02);
        });

    [Fact]
    public void Rates_sum_to_the_arrivals_however_long_the_trace_is() =>
        Cases.Check(30, dice =>
        {
            var series = new RateSeries();
            var times = dice.Many(1, 2000, () => dice.Real(0, dice.Chance(0.1) ? 1e6 : 1e3)).Order().ToList();
            times.ForEach(series.Add);
            Assert.Equal(times.Count, series.Bins.Sum());
            Assert.InRange(series.Bins.Count, 1, 2048);
            Assert.Equal(times.GroupBy(at => (long)(at / 60)).Max(minute => minute.Count()), series.BusiestMinute);
        });

    [Fact]
    public void Prefix_reuse_is_what_an_endless_cache_finds()
    {
        TraceRow Row(double at, int input, ulong answer, params PromptSegment[] prefix) => new()
        {
            Seconds = at,
            InputTokens = input,
            OutputTokens = 10,
            Prefix = prefix,
            Answer = answer,
        };
        var (system, asked) = (new PromptSegment(1, 100), new PromptSegment(2, 40));
        var profile = TraceProfile.Of(
        [
            Row(0, 140, 9, system, asked),
            Row(10, 200, 0, system, asked, new PromptSegment(9, 10), new PromptSegment(3, 50)),
            Row(20, 150, 0, new PromptSegment(7, 10), asked),
            Row(30, 100, 0, system),
        ]);
        Assert.Equal(150 + 100, profile.Reuse.FoundTokens);
        Assert.Equal((250.0 / 590, 1), (profile.FoundShare, profile.Reuse.Followers));
        Assert.Equal(150.0 / 590, profile.FoundWithin(160));
        Assert.Null(TraceProfile.Of([Row(0, 140, 0)]).FoundShare);
    }

    [Fact]
    public void Prefix_reuse_of_mooncake_is_what_a_set_of_blocks_says()
    {
        var seen = new HashSet<ulong>();
        long found = 0;
        var rows = TraceReader.Rows(File.ReadLines(Repository.Path("examples", "traces", "mooncake-conversation.jsonl")), new TraceLog()).ToList();
        foreach (var row in rows)
        {
            found += row.Prefix.ToArray().TakeWhile(piece => seen.Contains(piece.Content)).Sum(piece => piece.Tokens);
            seen.UnionWith(row.Prefix.ToArray().Select(piece => piece.Content));
        }

        Assert.Equal(found, TraceProfile.Of(rows).Reuse.FoundTokens);
        Assert.True(found > 0);
    }

    [Fact]
    public void Scaling_and_speeding_up_keep_what_they_should() =>
        Cases.Check(20, dice =>
        {
            var rows = TraceReader.Rows(File.ReadLines(Repository.Path("examples", "traces", "mooncake-conversation.jsonl")), new TraceLog()).ToList();
            var faster = rows.Shaped(new TraceOptions { Speedup = 3 }, 1).ToList();
            Assert.Equal(rows.Select(row => (row.Seconds / 3, row.InputTokens)), faster.Select(row => (row.Seconds, row.InputTokens)));
            var (scale, seed) = (dice.Real(0.2, 4), (ulong)dice.Whole(0, 1 << 30));
            var scaled = rows.Shaped(new TraceOptions { Scale = scale }, seed).ToList();
            Assert.InRange(scaled.Count, (scale - 0.2) * rows.Count, (scale + 0.2) * rows.Count);
            Assert.Equal(scaled.Select(row => row.Seconds).Order(), scaled.Select(row => row.Seconds));
            Assert.Equal(scaled.Count, scaled.Select(row => (row.Line, row.Copy)).Distinct().Count());
            var whole = rows.Shaped(new TraceOptions { Scale = 3 }, seed).ToList();
            Assert.Equal(rows.Sum(row => 3L * row.InputTokens), whole.Sum(row => (long)row.InputTokens));
            var contents = whole.GroupBy(row => row.Copy).Select(copy => copy.SelectMany(row => row.Prefix.ToArray().Select(piece => piece.Content)).ToHashSet()).ToList();
            Assert.Equal([contents[0].Count, contents[0].Count, contents[0].Count, 3 * contents[0].Count], [.. contents.Select(set => set.Count), contents.SelectMany(set => set).Distinct().Count()]);
            Assert.Equal(3 * TraceProfile.Of(rows).Reuse.FoundTokens, TraceProfile.Of(whole).Reuse.FoundTokens);
        });

    [Fact]
    public void A_slice_is_a_part_that_begins_at_zero()
    {
        var rows = Enumerable.Range(0, 100).Select(i => new TraceRow { Line = i + 2, Seconds = i, InputTokens = i + 1, OutputTokens = 1, Session = i % 2 == 0 ? "even" : null }).ToList();
        Assert.Equal([(0, 11), (1, 12)], rows.Shaped(new TraceOptions { FromSeconds = 10, ToSeconds = 12 }, 1).Select(row => (row.Seconds, row.InputTokens)));
        Assert.Equal([(0, 5), (1, 6), (2, 7)], rows.Shaped(new TraceOptions { FromRow = 5, ToRow = 7 }, 1).Select(row => (row.Seconds, row.InputTokens)));
        Assert.Contains(rows.Shaped(new TraceOptions { Scale = 0.5 }, 3).Count(row => row.Session is not null), new[] { 0, 50 });
        Assert.Equal("none of its requests lies in the slice; it holds 2", TraceCheck.Of(["arrival_s,input_tokens,output_tokens", "1,1,1", "2,1,1"], new TraceOptions { FromRow = 3 }).Mistakes[0].What);
    }

    [Fact]
    public void A_day_is_found_again()
    {
        var plan = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = 0.3, Daily = new Diurnal(3, 86_400, 20_000) });
        var arrivals = new Arrivals(plan, new Draws(4, "test"));
        var series = new RateSeries();
        for (var at = arrivals.Next(); at.Seconds < 3 * 86_400; at = arrivals.Next())
            series.Add(at.Seconds);
        var day = series.Sine(86_400, 3 * 86_400)!.Value;
        Assert.InRange(day.PeakToTrough, 2.8, 3.2);
        Assert.InRange(day.PhaseSeconds, 19_300, 20_700);
        Assert.Null(series.Sine(86_400, 100_000));
    }

    [Fact]
    public void What_is_fitted_to_made_traffic_resembles_it() =>
        Cases.Check(5, dice =>
        {
            var plan = new OpenPlan
            {
                Name = "known",
                Arrivals = new ArrivalPlan(ArrivalKind.Gamma, new RateCurve { PerSecond = dice.Real(1, 20) }, dice.Real(0.5, 2)),
                Lengths = new PairedLengths(Lognormal.OfMean(1000, dice.Real(0.3, 1.2), 1, 20_000), Lognormal.OfMean(200, 0.8, 1, 5_000), dice.Real(-0.5, 0.8)),
                Requests = 20_000,
            };
            var profile = Profile(plan.Traffic(3));
            var again = Profile(new MergedTraffic([TraceFit.Of(profile, "fitted").Traffic(4)], 20_000));
            Nearly.Equal(profile.MeanRate, again.MeanRate, 0.08);
            Nearly.Equal(profile.Gaps.Cv, again.Gaps.Cv, 0.08);
            Nearly.Equal(profile.Input.Mean, again.Input.Mean, 0.05);
            Nearly.Equal(profile.Input.At(0.9), again.Input.At(0.9), 0.08);
            Nearly.Equal(profile.Output.Mean, again.Output.Mean, 0.05);
            Assert.InRange(again.Correlation, profile.Correlation - 0.05, profile.Correlation + 0.05);
        });

    [Fact]
    public void Sessions_are_fitted_with_their_turns_and_what_they_find_again()
    {
        var plan = new SessionPlan
        {
            Name = "talk",
            Arrivals = ArrivalPlan.Poisson(5),
            Turns = new Geometric(5),
            Lengths = new PairedLengths(Lognormal.OfMean(100, 0.5), Lognormal.OfMean(200, 0.5)),
            SystemPromptTokens = 300,
            Think = new Exponential(10),
            Sessions = 5_000,
        };
        var profile = Profile(plan.Traffic(3));
        var fitted = (SessionPlan)TraceFit.Of(profile, "fitted");
        Assert.Equal(300, fitted.SystemPromptTokens);
        Nearly.Equal(5, fitted.Turns.Mean, 0.05);
        var again = Profile((fitted with { Sessions = 5_000 }).Traffic(4));
        Nearly.Equal(profile.Input.Mean, again.Input.Mean, 0.1);
        Nearly.Equal(profile.FoundShare!.Value, again.FoundShare!.Value, 0.1);
    }

    private static TraceProfile Profile(ITraffic traffic) =>
        TraceProfile.Of(IdealFleet.Asked(traffic, 0.01).Select(request => TraceWriter.RowOf(request, traffic)));
}
