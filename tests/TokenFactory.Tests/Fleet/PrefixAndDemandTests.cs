using TokenFactory.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Fleet;

/// <summary>What is remembered of prompts and of demand.</summary>
public sealed class PrefixAndDemandTests
{
    private static readonly ServiceClass[] Classes = [Fleets.Chat];
    private static readonly PrefixKey[] Parts = [new(11, 200), new(12, 500), new(13, 900)];

    [Fact]
    public void The_longest_match_of_each_replica_is_found()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 4));
        state.Send(Fleets.Ask(1, 1000, prefix: Parts), 2);
        state.Send(Fleets.Ask(2, 1000, prefix: [Parts[0], Parts[1], new(99, 900)]), 1);
        state.Send(Fleets.Ask(3, 1000, prefix: [Parts[0], new(98, 500)]), 0);
        var found = new PrefixMatch[8];
        var count = state.Snapshot.Matches(Fleets.Ask(4, 1000, prefix: Parts), found);
        Assert.Equal([new(2, 900), new(1, 500), new(0, 200)], found.Take(count));
        Assert.Equal([200, 500, 900, 0], Enumerable.Range(0, 4).Select(Matched));
        Assert.Equal(150, state.Snapshot.MatchedTokens(Fleets.Ask(6, 150, prefix: Parts), 2)); // no more than the prompt has

        int Matched(int replica) => state.Snapshot.MatchedTokens(Fleets.Ask(5, 1000, prefix: Parts), replica);
    }

    [Fact]
    public void What_is_gone_or_written_over_holds_nothing()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(kv: 10_000), 2));
        var ask = Fleets.Ask(1, 1000, prefix: Parts);
        state.Send(ask, 0);
        state.Send(ask, 1);
        state.Apply(new(FleetEventKind.Gone, default, 0));
        Assert.Equal((0, 900), (state.Snapshot.MatchedTokens(ask, 0), state.Snapshot.MatchedTokens(ask, 1)));
        for (var i = 0; i < 11; i++)
            state.Send(Fleets.Ask(10 + i, 1000), 1);
        Assert.Equal(0, state.Snapshot.MatchedTokens(ask, 1));
        Assert.Equal(0, state.Snapshot.Matches(ask, new PrefixMatch[4]));
    }

    [Fact]
    public void The_index_equals_a_list_of_all_that_was_sent() => Cases.Check(60, dice =>
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(kv: 1e12), dice.Whole(1, 10)));
        var sent = new List<(ulong Key, int Replica)>();
        for (var i = 0; i < 300; i++)
        {
            var parts = dice.Many(0, 3, () => dice.Whole(1, 200)).Distinct()
                .Select((key, at) => new PrefixKey((ulong)key, at + 1)).ToArray();
            var replica = dice.Whole(0, state.Snapshot.Replicas.Count - 1);
            var ask = Fleets.Ask(i, prefix: parts);
            var expected = parts.Where(part => sent.Contains((part.Key, replica))).Select(part => part.Tokens).DefaultIfEmpty(0).Max();
            Assert.Equal(expected, state.Snapshot.MatchedTokens(ask, replica));
            state.Send(ask, replica);
            sent.AddRange(parts.Select(part => (part.Key, replica)));
        }
    });

    [Fact]
    public void A_full_index_equals_a_list_in_the_order_of_use() => Cases.Check(200, dice =>
    {
        var (most, replicas, keys) = (dice.Whole(1, 60), dice.Whole(1, 24), dice.Whole(2, 200));
        var state = new FleetState([Fleets.Pool(kv: 1e12)], Classes, 1, most);
        for (var i = 0; i < replicas; i++)
            state.Start(0);
        var used = new List<(ulong Key, List<int> Holders)>(); // the last used last, the last holder first
        for (var i = 0; i < 400; i++)
        {
            var parts = dice.Many(0, 12, () => dice.Whole(1, keys)).Distinct()
                .Select((key, at) => new PrefixKey((ulong)key, at + 1)).ToArray();
            var ask = Fleets.Ask(i, prefix: parts);
            var found = new PrefixMatch[dice.Whole(1, 20)];
            Assert.Equal(Expected(parts).Take(found.Length), found.Take(state.Snapshot.Matches(ask, found)));
            var replica = dice.Whole(0, replicas - 1);
            state.Send(ask, replica);
            foreach (var part in parts)
                Use(part.Key, replica);
        }

        IEnumerable<PrefixMatch> Expected(PrefixKey[] parts) => parts.Reverse()
            .SelectMany(part => used.Where(one => one.Key == part.Key).SelectMany(one => one.Holders)
                .Select(replica => new PrefixMatch(replica, part.Tokens)))
            .DistinctBy(match => match.Replica);

        void Use(ulong key, int replica)
        {
            var holders = used.Find(one => one.Key == key).Holders ?? [];
            used.RemoveAll(one => one.Key == key);
            holders.Remove(replica);
            holders.Insert(0, replica);
            if (holders.Count > 16)
                holders.RemoveAt(16);
            used.Add((key, holders));
            if (used.Count > most)
                used.RemoveAt(0);
        }
    });

    [Fact]
    public void Keys_not_sent_for_long_are_forgotten()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(kv: 1e12), 1));
        var (kept, lost) = (Fleets.Ask(1, 10, prefix: new PrefixKey(1, 5)), Fleets.Ask(2, 10, prefix: new PrefixKey(2, 5)));
        state.Send(lost, 0);
        for (ulong i = 0; i < 131_071; i++)
        {
            if (i % 50_000 == 0)
                state.Send(kept, 0);
            state.Send(Fleets.Ask(3, 10, prefix: new PrefixKey(1000 + i, 5)), 0);
        }

        Assert.Equal((5, 0), (state.Snapshot.MatchedTokens(kept, 0), state.Snapshot.MatchedTokens(lost, 0)));
    }

    [Fact]
    public void Demand_falls_into_its_span_and_is_forgotten_after_days() => Cases.Check(40, dice =>
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 1));
        var counts = new Dictionary<long, int>();
        double at = dice.Real(0, 1000);
        for (var i = 0; i < 100; i++)
        {
            at += dice.Chance(0.05) ? dice.Real(0, 100_000) : dice.Real(0, 20);
            state.Queue(Fleets.Ask(i, at: at), Instant.AtSeconds(at));
            var span = (long)Math.Floor(at / state.Snapshot.Demand.SpanSeconds);
            counts[span] = counts.GetValueOrDefault(span) + 1;
        }

        var demand = state.Snapshot.Demand;
        Assert.Equal(counts.Keys.Max(), demand.Newest);
        var oldest = demand.Newest - (2 * 8640);
        foreach (var (span, count) in counts)
            Assert.Equal(span > oldest ? count : 0, demand.Of(span).Arrivals);
        Assert.Equal(counts.Where(one => one.Key > oldest).Sum(one => one.Value), demand.Between(0, demand.Newest).Arrivals);
    });
}
