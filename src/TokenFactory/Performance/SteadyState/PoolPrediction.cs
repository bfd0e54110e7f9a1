using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance.SteadyState;

/// <summary>
/// Prefill and decode on pools of their own: requests pass prefill, transfer and decode, and the slower pool sets the pace. The batch
/// of the decode pool is what Little's law leaves for it.
/// </summary>
internal static class PoolPrediction
{
    private const int Iterations = 14;

    public static Prediction Of(Lens eye)
    {
        var (load, scenario) = (eye.Load, eye.Prepared.Scenario);
        var prefill = scenario.Prefill!.Value;
        var open = load.Arrival == Arrival.OpenLoop;
        var clients = open ? double.PositiveInfinity : load.Concurrency ?? double.PositiveInfinity;
        var lanes = prefill.Replicas * prefill.Deployment.AttentionGroups;
        var (alone, transfer) = (eye.Alone(), eye.Transfer());
        var most = lanes * eye.PromptsPerSecond();
        var limit = open ? Math.Min(most, load.RequestsPerSecond ?? 0) : most;
        var capacity = eye.Capacity() * eye.Replicas;
        var running = Math.Min(clients, capacity);
        for (var i = 0; i < Iterations; i++)
        {
            var tpot = eye.Token(running / eye.Replicas, decodeOnly: true).Seconds;
            var pace = Math.Min(limit, clients / (alone + transfer + (load.OutputTokens * tpot)));
            running = (running + Math.Min(Math.Min(clients, capacity), pace * load.OutputTokens * tpot)) / 2;
        }

        var (mix, terms, seconds) = eye.Token(Math.Max(running / eye.Replicas, 1e-3), decodeOnly: true);
        var held = Math.Min(most, capacity / (load.OutputTokens * seconds));
        var first = FirstToken(eye, clients, alone, transfer, lanes);
        var ttft = eye.Ttft(first);
        if (open || double.IsInfinity(clients))
        {
            var asked = open ? load.RequestsPerSecond ?? 0 : held;
            var busy = Math.Min(asked / most, Queueing.Fullest);
            var full = running / capacity;
            var wait = open ? Queueing.Wait(alone, busy, load.ArrivalVariability) : 0;
            var place = open
                ? Queueing.WaitForPlace(
                    load.OutputTokens * seconds, eye.Capacity(), Math.Min(full, Queueing.Fullest), load.ArrivalVariability)
                : 0;
            return Answer(Math.Min(asked, held), ttft, wait, place, 1) with
            {
                Saturated = open && asked > held,
                NearLimit = open && (asked > most * Queueing.Fullest || full > Queueing.Fullest),
            };
        }

        // Little's law: what the slower pool cannot take waits for it
        var rest = (load.OutputTokens - 1) * seconds;
        var requests = Math.Min(clients / (ttft + rest), Math.Min(held, running / (load.OutputTokens * seconds)));
        return Answer(requests, ttft, Math.Max(0, (clients / requests) - rest - ttft), 0, eye.Rate(Arrival.ClosedLoop));

        Prediction Answer(double requests, double ttft, double wait, double place, double rate)
        {
            var answer = eye.Answer(mix, terms, seconds, first, ttft + wait + place, requests * rate);
            var waits = answer.FirstTokenTime;
            waits[FirstTokenTerm.Queue] += wait;
            waits[FirstTokenTerm.Memory] += place;
            var (step, mean) = eye.PrefillWatts(Math.Min(1, requests / most));
            return answer with
            {
                FirstTokenTime = waits,
                WattsPerGpu = ((prefill.Gpus * mean) + (scenario.Decode.Gpus * answer.WattsPerGpu)) / scenario.Gpus,
                StepWatts = Math.Max(step, answer.StepWatts),
            };
        }
    }

    /// <summary>What a replica of a decode pool does that generates so many answers at once.</summary>
    public static Prediction Answers(Lens eye, double running)
    {
        var (mix, terms, seconds) = eye.Token(running, decodeOnly: true);
        return eye.Answer(mix, terms, seconds, default, 0, running / (eye.Load.OutputTokens * seconds));
    }

    /// <summary>What a replica of a prefill pool does that is busy for a share of the time.</summary>
    public static Prediction Prompts(Lens eye, double busy)
    {
        var prefill = eye.Prepared.Prefill.Deployment;
        var (alone, transfer, most) = (eye.Alone(), eye.Transfer(), prefill.AttentionGroups * eye.PromptsPerSecond());
        var first = FirstToken(eye, double.PositiveInfinity, alone, transfer, prefill.AttentionGroups);
        var wait = Queueing.Wait(alone, busy, eye.Load.ArrivalVariability);
        var waits = first;
        waits[FirstTokenTerm.Queue] += wait;
        var (step, mean) = eye.PrefillWatts(busy);
        return new Prediction
        {
            Fits = true,
            Ttft = eye.Ttft(first) + wait,
            FirstTokenTime = waits,
            RequestsPerSecond = busy * most,
            TotalTokensPerSecond = busy * most * eye.Load.InputTokens,
            WattsPerGpu = mean,
            StepWatts = step,
            Gpus = prefill.Gpus,
        };
    }

    private static FirstTokenTerms FirstToken(Lens eye, double clients, double alone, double transfer, double lanes)
    {
        var terms = eye.Common();
        terms[FirstTokenTerm.Own] = alone;
        terms[FirstTokenTerm.Alone] = alone;
        terms[FirstTokenTerm.Transfer] = transfer;
        var crowd = double.IsFinite(clients) ? clients : 0;
        terms[FirstTokenTerm.Crowd] = alone * Math.Max(0, (crowd / lanes) - 1) / 2 / eye.Load.RequestsPerClient;
        terms[FirstTokenTerm.Clients] = crowd * 1e-3;
        return terms;
    }
}
