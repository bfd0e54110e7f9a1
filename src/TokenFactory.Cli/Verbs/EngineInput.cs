using System.Net;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A virtual engine as it was asked for.</summary>
/// <param name="Plan">What it is, as the twin would run it.</param>
/// <param name="Pool">The same as the gateway would.</param>
/// <param name="Model">What clients call the model.</param>
/// <param name="Options">How it answers.</param>
/// <param name="Notes">What was assumed, and what is to be told of flags.</param>
internal sealed record EngineAsked(PoolPlan Plan, PoolSetup Pool, string Model, VirtualOptions Options, IReadOnlyList<string> Notes);

/// <summary>Reads what the flags of a virtual engine say; every mistake is noted.</summary>
internal sealed class EngineInput(CatalogContents catalog, CalibrationInput calibration, DateOnly today)
{
    private const int DefaultPort = 8000;
    private const int MostPort = 65_535;
    private const double DefaultVariation = 0.66;

    /// <summary>The engine.</summary>
    /// <exception cref="Refusal">Something is wrong; all mistakes at once.</exception>
    public EngineAsked Read(Settings flags)
    {
        var served = flags.Text("served_model_name");
        var options = Options(flags);
        flags.Fill("name", "engine", "model");
        flags.Fill("usd_per_gpu_hour", "0", "gpu"); // nobody pays for a GPU that is not there
        var pools = new SimulatePools(catalog, calibration, today);
        var order = pools.Read(flags);
        flags.RefuseUnknownKeys();
        Refusal.IfAny(flags.Mistakes);
        var plan = order!.Plan();
        if (plan.Facts.Role != ReplicaRole.Aggregated)
            throw new Refusal("command line", $"--{EngineFlagReader.Key.Replace('_', '-')} splits prompts from answers", "Leave that out");
        var assumed = pools.Assumed.Count > 0 ? (string[])[$"Assumed, as you did not say: {string.Join("; ", pools.Assumed)}."] : [];
        var setup = new PoolSetup(plan.Facts, EngineKind.Virtual, [new ReplicaSetup("engine", null)])
        {
            Settings = plan.Engine,
            What = plan.What,
        };
        return new EngineAsked(plan, setup, served ?? order.Deployment.Model.Key, options, [.. assumed, .. pools.Remarks]);
    }

    private static VirtualOptions Options(Settings flags)
    {
        var usual = new VirtualOptions();
        var port = flags.Whole("port", 0, MostPort) ?? DefaultPort;
        var host = flags.Text("host") ?? "127.0.0.1";
        if (!IPAddress.TryParse(host == "localhost" ? "127.0.0.1" : host, out var address))
            flags.Note("host", $"is '{host}'", "Give an IP address, 127.0.0.1 or 0.0.0.0");
        var faults = flags.Text("faults") ?? "";
        FaultPlan.Parse(faults, out var mistakes);
        foreach (var mistake in mistakes)
            flags.Note("faults", $"has '{mistake.Word}', which {mistake.What}", mistake.Remedy);
        var variation = flags.Number("output_cv", 0, 100) ?? DefaultVariation;
        return usual with
        {
            Listen = new IPEndPoint(address ?? IPAddress.Loopback, port),
            Seed = (ulong)(flags.Whole("seed", 0) ?? (int)usual.Seed),
            MeanOutputTokens = flags.Number("mean_output_tokens", 1, 1e8) ?? usual.MeanOutputTokens,
            OutputSpread = Math.Sqrt(Math.Log(1 + (variation * variation))),
            Faults = mistakes.Count == 0 ? faults : "",
            FaultControl = SimulateInput.Truth(flags, "fault_control"),
        };
    }
}
