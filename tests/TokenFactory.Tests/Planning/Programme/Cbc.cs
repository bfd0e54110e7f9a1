using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using TokenFactory.Planning.Programme;

namespace TokenFactory.Tests.Planning.Programme;

/// <summary>COIN-OR's branch and cut (Debian: coinor-cbc), as a second opinion.</summary>
internal static partial class Cbc
{
    public const string Missing = "The solver cbc is not installed (Debian: apt-get install coinor-cbc).";

    public static bool Here { get; } = Path() is not null;

    /// <summary>
    /// The optimum; infinite where there is no answer, minus infinite where the objective falls for ever. It is asked again without
    /// preprocessing, which calls some feasible programmes infeasible; without it, it dies on some others.
    /// </summary>
    public static double Objective(IntegerProgramme programme)
    {
        var folder = Directory.CreateTempSubdirectory("tokenfactory-cbc-").FullName;
        try
        {
            var model = System.IO.Path.Combine(folder, "m.lp");
            File.WriteAllText(model, LpFile.Write(programme));
            var (usual, log) = Ask(model, "on");
            if (usual is { } found && double.IsFinite(found))
                return found;
            var (plain, second) = Ask(model, "off");
            return plain is { } late && double.IsFinite(late) ? late : usual ?? plain ?? throw new InvalidOperationException(log + second);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static (double? Objective, string Log) Ask(string model, string preprocess)
    {
        var answer = model + "." + preprocess;
        string[] arguments = [model, "ratioGap", "0", "allowableGap", "0", "preprocess", preprocess, "solve", "solu", answer];
        var start = new ProcessStartInfo(Path()!, arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var log = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var first = (File.Exists(answer) ? File.ReadLines(answer).FirstOrDefault() : null) ?? "";
        if (first.StartsWith("Optimal", StringComparison.Ordinal))
            return (double.Parse(Value().Match(first).Groups[1].Value, CultureInfo.InvariantCulture), log);
        if (first.StartsWith("Unbounded", StringComparison.Ordinal))
            return (double.NegativeInfinity, log);
        return (log.Contains("infeasible", StringComparison.OrdinalIgnoreCase) ? double.PositiveInfinity : null, log);
    }

    private static string? Path() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .Select(folder => System.IO.Path.Combine(folder, "cbc")).FirstOrDefault(File.Exists);

    [GeneratedRegex(@"objective value\s+(\S+)")]
    private static partial Regex Value();
}
