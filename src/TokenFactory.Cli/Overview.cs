namespace TokenFactory.Cli;

/// <summary>What the program can do, for whoever types its bare name.</summary>
internal static class Overview
{
    public const string Text =
        """
        Token Factory: what tokens cost in dollars and joules, and how to make them cheaper.

        Verbs
          price     what a million tokens costs, by GPU, provider and billing
          billing   how much to reserve, what to run on demand, what on spot
          factory   what a site of so many megawatts earns, and how to split its power
          predict   how fast a deployment is, what it draws, whether it fits
          workload  what a trace of requests holds, and how to make one like it
          simulate  what every request and machine of a fleet goes through under real traffic
          plan      the cheapest fleet that keeps its promises, why, and the files to deploy it
          audit     what each lever of a running fleet would save at its promises, alone and together
          serve     an OpenAI gateway over your fleet: routed by cost, metered in dollars and joules
          keys      API keys of a running gateway
          tenants   who is served, up to which limits, and what they spent
          replicas  who serves, how they fare; drain and resume them
          report    what each token really cost, per tenant, model, replica or hour
          replay    decides again what a gateway decided, from its log; the log as a trace
          engine    an OpenAI-compatible server at the pace of a chosen GPU, without one
          bench     load for an OpenAI-compatible server, and how it was served
          calibrate fit the performance model to measurements, and say how wrong it is
          catalog   the GPUs, models, prices and points behind the numbers

        Try
          tokenfactory price
          tokenfactory price --model llama-3.1-70b --gpu h100 --billing all --vs on-demand
          tokenfactory billing --gpu h100 --gpus 64 --utilisation 0.7
          tokenfactory factory --mw 100 --gpu gb200
          tokenfactory predict --model llama-3.1-70b --gpu h100 --concurrency 32
          tokenfactory workload describe examples/traces/azure-conversation.csv
          tokenfactory simulate examples/simulate-chat.yaml --html chat.html
          tokenfactory plan examples/plan-chat.yaml --why
          tokenfactory audit examples/audit-naive.yaml
          tokenfactory serve
          tokenfactory report --by tenant,model
          tokenfactory engine --model llama-3.1-8b --gpu h100
          tokenfactory bench http://127.0.0.1:8000 --concurrency 32
          tokenfactory calibrate --from my-measurements.csv --out mycatalog/calibration
          tokenfactory catalog show h100

        Every verb takes --help, --json (for machines) and --sources (where each figure comes from).
        Exit codes: 0 done, 1 the answer is no, 2 could not answer.

        """;
}
