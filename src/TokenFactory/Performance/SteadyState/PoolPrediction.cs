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
        var clients = load.Concurrency ?? double.PositiveInfinity;
        var lanes = prefill.Replicas * prefill.Deployment.AttentionGroups;
        var alone = eye.Alone();
        var most = lanes / alone;
        var wanted = load.Arrival == Arrival.OpenLoop ? load.RequestsPerSecond ?? 0 : most;
        var limit = Math.Min(most, wanted);
        var capacity = eye.Capacity() * eye.Replicas;
        var running = Math.Min(clients, capacity);
        for (var i = 0; i < Iterations; i++)
        {
            var tpot = eye.Token(running / eye.Replicas, decodeOnly: true).Seconds;
            var pace = Math.Min(limit, clients / (alone + eye.Transfer() + (load.OutputTokens * tpot)));
            var next = Math.Min(Math.Min(clients, capacity), pace * load.OutputTokens * tpot);
            running = (running + next) / 2;
        }

        var (mix, terms, seconds) = eye.Token(Math.Max(running / eye.Replicas, 1e-3), decodeOnly: true);
        var requests = running / (load.OutputTokens * seconds);
        var rest = double.IsFinite(clients) ? (clients / requests) - (load.OutputTokens * seconds) : 0;
        var first = FirstToken(eye, clients, alone, lanes, rest);
        var ttft = eye.Ttft(first);
        var held = capacity / (load.OutputTokens * seconds);
        var served = load.Arrival == Arrival.OpenLoop || double.IsInfinity(clients)
            ? Math.Min(requests, wanted)
            : clients / (ttft + ((load.OutputTokens - 1) * seconds)) * eye.Rate(Arrival.ClosedLoop);
        var answer = eye.Answer(mix, terms, seconds, first, ttft, Math.Min(Math.Min(served, most), held));
        const double nearly = 0.99; // the iteration ends within a thousandth of the rate
        return answer with
        {
            WattsPerGpu = Watts(eye, answer, Math.Min(1, served / most)),
            Saturated = load.Arrival == Arrival.OpenLoop && (wanted > most || requests < wanted * nearly),
        };
    }

    private static FirstTokenTerms FirstToken(Lens eye, double clients, double alone, double lanes, double rest)
    {
        var terms = eye.Common();
        terms[FirstTokenTerm.Own] = alone;
        terms[FirstTokenTerm.Alone] = alone;
        terms[FirstTokenTerm.Transfer] = eye.Transfer();
        var crowd = double.IsFinite(clients) ? clients : 0;
        terms[FirstTokenTerm.Crowd] = alone * Math.Max(0, (crowd / lanes) - 1) / 2 / eye.Load.RequestsPerClient;
        terms[FirstTokenTerm.Queue] = Math.Max(0, rest - alone);
        terms[FirstTokenTerm.Clients] = crowd * 1e-3;
        return terms;
    }

    /// <summary>Mean over both pools: the prefill pool computes prompts for its share of the time and idles otherwise.</summary>
    private static double Watts(Lens eye, Prediction answer, double busy)
    {
        var prefill = eye.Prepared.Scenario.Prefill!.Value;
        var pool = eye.PrefillWatts(busy);
        return ((prefill.Gpus * pool) + (eye.Prepared.Scenario.Decode.Gpus * answer.WattsPerGpu)) / (prefill.Gpus + eye.Prepared.Scenario.Decode.Gpus);
    }
}
