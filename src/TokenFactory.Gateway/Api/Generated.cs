using TokenFactory.Gateway.Live;
using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Api;

/// <summary>What an engine must have generated of an answer that nobody saw: the model's word where there is no other.</summary>
internal static class Generated
{
    /// <summary>Tokens of the answer by an instant, at the pace of a replica that has nothing else to do: the most that it can be.</summary>
    /// <param name="leg">The attempt.</param>
    /// <param name="now">The present.</param>
    /// <param name="most">Most tokens of the answer.</param>
    public static int By(Leg leg, Instant now, int most)
    {
        var model = leg.Replica.Pool.Facts.Model;
        var fresh = (double)leg.Decision.FreshTokens;
        var prompt = model.Step(new StepShape(0, 0, fresh, fresh * fresh / 2, 1)).Seconds;
        var token = model.Decode(1, 1, leg.Ask.PromptTokens).Seconds;
        return (int)Math.Clamp(((now - leg.Dispatched).Seconds - prompt) / token, 0, most);
    }
}
