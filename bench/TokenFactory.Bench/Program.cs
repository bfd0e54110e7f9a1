using BenchmarkDotNet.Running;
using TokenFactory.Bench;

BenchmarkSwitcher.FromAssembly(typeof(SplitBenchmark).Assembly).Run(args);
