using System.CommandLine;
using System.Globalization;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Workload;

namespace TokenFactory.Cli.Verbs;

/// <summary>Starts a virtual engine, says where and what it is, and waits until the user has enough of it.</summary>
internal sealed class EngineRunner(Terminal terminal, CommonFlags common, ParseResult parsed)
{
    private const int PromptTokens = 512;
    private const int AnswerTokens = 128;
    private const int RequestsPerClient = 4;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private static readonly int[] Clients = [1, 16, 128];

    /// <summary>Runs it.</summary>
    /// <exception cref="Refusal">Its address is taken.</exception>
    public async Task<int> RunAsync(EngineAsked asked)
    {
        await using var engine = await Start(asked);
        var stopped = StopSignal.WaitAsync(terminal); // heard from before anybody is told that it answers
        App.Print(Report(asked, engine.Address), terminal, common, parsed);
        terminal.Out.Flush();
        await stopped;
        terminal.Err.WriteLine($"Stops; answers under way get {Grace.TotalSeconds:0} s.");
        using var patience = new CancellationTokenSource(Grace);
        await engine.StopAsync(patience.Token);
        return App.Done;
    }

    private static async Task<VirtualEngine> Start(EngineAsked asked)
    {
        try
        {
            return await VirtualEngine.StartAsync(asked.Pool, asked.Model, asked.Options, TimeProvider.System, CancellationToken.None);
        }
        catch (Exception taken) when (taken is IOException or System.Net.Sockets.SocketException)
        {
            throw new Refusal(
                "command line",
                $"{asked.Options.Listen} cannot be listened on: {taken.Message.TrimEnd('.')}",
                "Give another --port, or 0 for any");
        }
    }

    private static Report Report(EngineAsked asked, Uri address)
    {
        var at = address.ToString().TrimEnd('/');
        return new Report(
            "engine",
            [
                $"Virtual {asked.Model} at {at}: {asked.Plan.What}. No GPU computes anything; answers are made up, at that GPU's pace.",
                $"Try: curl {at}/v1/chat/completions -H 'content-type: application/json' "
                    + $"-d '{{\"model\": \"{asked.Model}\", "
                    + "\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"stream\": true}'",
            ],
            [Pace(asked.Plan)],
            [
                .. asked.Notes,
                "Times and watts are estimated from measurements; docs/accuracy.md says how wrong they are.",
                "Ctrl-C ends it.",
            ]);
    }

    /// <summary>What to expect of it: simulated closed loops.</summary>
    private static Section Pace(PoolPlan plan) => new(
        "pace",
        $"Predicted, for prompts of {PromptTokens} tokens and answers of {AnswerTokens}",
        [
            new Column("concurrency", "requests at once"),
            new Column("ttft_ms", "TTFT, ms"),
            new Column("tpot_ms", "TPOT, ms"),
            new Column("output_tokens_per_second", "output tok/s"),
            new Column("board_watts_per_gpu", "W/GPU at the board"),
        ],
        [.. Clients.Select(clients => Row(plan, clients))]);

    private static IReadOnlyList<Cell> Row(PoolPlan plan, int clients)
    {
        var loop = new ClosedPlan
        {
            Name = "clients",
            Clients = clients,
            Lengths = new PairedLengths(new Constant(PromptTokens), new Constant(AnswerTokens)),
            Requests = clients * RequestsPerClient,
        };
        var run = Simulator.Run(
            new FleetPlan
            {
                Name = "engine",
                Pools = [plan],
                Classes = [new ServiceClass("default")],
                Traffic = loop.Traffic,
                Router = () => new LeastOutstandingRouter(new Eligibility { QueueShare = 1e6, KvShare = double.PositiveInfinity }),
                ReportSeconds = 0,
            },
            1);
        var (requests, seconds) = (run.Requests, Math.Max(run.Seconds, 1e-9));
        return
        [
            new Cell(clients, clients.ToString(CultureInfo.InvariantCulture)),
            Number(requests.Ttft.P50 * 1e3),
            Number(requests.Tpot.P50 * 1e3),
            Number(requests.OutputTokens / seconds),
            Number(run.Machines.BoardJoules / seconds / plan.Facts.Model.Deployment.Gpus),
        ];
    }

    private static Cell Number(double value) => new(value, Spell.Number(value));
}
