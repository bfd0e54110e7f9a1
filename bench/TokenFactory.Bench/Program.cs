using BenchmarkDotNet.Running;
using TokenFactory.Bench;

if (args is ["simulate", ..])
    SimulationRuns.Run(args[1..]);
else if (args is ["mix", ..])
    MixRuns.Run();
else if (args is ["policies", ..])
    PolicyRuns.Run(args[1..]);
else if (args is ["wire"])
    WireRuns.Run();
else if (args is ["routing", ..])
    await RoutingRuns.RunAsync(args[1..]);
else if (args is ["telemetry"])
    TelemetryRuns.Run();
else if (args is ["tenants"])
    await TenantRuns.RunAsync();
else if (args is ["plan"])
    PlanRuns.Run();
else if (args is ["ledger", ..])
    await LedgerRuns.RunAsync(args[1..]);
else
    BenchmarkSwitcher.FromAssembly(typeof(SplitBenchmark).Assembly).Run(args);
