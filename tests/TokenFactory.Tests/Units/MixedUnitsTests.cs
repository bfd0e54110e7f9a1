using System.Diagnostics;
using System.Text.RegularExpressions;
using TokenFactory.Units;

namespace TokenFactory.Tests.Units;

/// <summary>Units cannot be mixed: the SDK's own compiler refuses each of these lines, and accepts their proper forms.</summary>
public sealed partial class MixedUnitsTests
{
    private const int FirstLine = 10;

    private static readonly string[] Right =
    [
        "_ = watts + watts;",
        "_ = watts * 8;",
        "_ = 0.5 * watts;",
        "_ = watts / watts + 1.0;",
        "_ = watts < watts;",
        "_ = watts * time + joules;",
        "_ = joules / time + watts;",
        "_ = watts / rate;",
        "_ = rate / watts;",
        "_ = perHour / rate + perMillion;",
        "_ = rate * perMillion + perHour;",
        "_ = perHour * time + usd;",
        "_ = tokens + tokens;",
        "_ = power.Times(8).Watts + watts;",
    ];

    private static readonly string[] Wrong =
    [
        "_ = watts + joules;",
        "_ = watts - rate;",
        "_ = watts * watts;",
        "_ = watts + 5.0;",
        "_ = perHour + perMillion;",
        "_ = perHour / tokens;",
        "_ = usd + perHour;",
        "_ = usd + 1.0m;",
        "_ = tokens + bytes;",
        "_ = rate < watts;",
        "_ = perHour == perMillion;",
        "_ = joules * pue;",
        "_ = power + power;",
        "_ = power + watts;",
        "_ = share + share;",
        "_ = joulesPerToken + tokensPerJoule;",
        "watts = joules;",
        "watts = 700.0;",
        "share = 0.5;",
        "_ = flops + bandwidth;",
    ];

    [Fact]
    public void What_belongs_together_compiles() => Assert.Empty(Compile(Right));

    [Fact]
    public void What_does_not_belong_together_does_not_compile()
    {
        var errors = Compile(Wrong);
        Assert.All(errors, error => Assert.True(error.Code is "CS0019" or "CS0029" or "CS0266" or "CS9340" or "CS9342", $"line '{Line(error.Line)}' fails for another reason: {error}"));
        Assert.Equal(Wrong, errors.Select(error => Line(error.Line)).Distinct());

        static string Line(int number) => Wrong[number - FirstLine];
    }

    /// <summary>The errors of a method that holds these statements, in the order of the lines.</summary>
    private static List<(int Line, string Code)> Compile(string[] statements)
    {
        var folder = Directory.CreateTempSubdirectory("token-factory-units");
        try
        {
            var source = Path.Combine(folder.FullName, "Snippet.cs");
            File.WriteAllText(source, $$"""
                using System;
                using TokenFactory.Units;
                static class Snippet
                {
                static void Mix(
                Watts watts, Joules joules, JoulesPerToken joulesPerToken, TokensPerJoule tokensPerJoule, TokensPerSecond rate, UsdPerHour perHour,
                UsdPerMillionTokens perMillion, Usd usd, Tokens tokens, Bytes bytes, Power power, Pue pue, Fraction share, FlopsPerSecond flops,
                BytesPerSecond bandwidth, TimeSpan time)
                {
                {{string.Join('\n', statements)}}
                }
                }
                """);
            return [.. Error().Matches(RunCompiler(source)).Select(error => (int.Parse(error.Groups["line"].Value), error.Groups["code"].Value)).Order()];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string RunCompiler(string source)
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!; // <dotnet>/shared/Microsoft.NETCore.App/<version>
        var dotnet = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
        var compiler = Directory.EnumerateDirectories(Path.Combine(dotnet, "sdk"), "10.*").Order(StringComparer.Ordinal)
            .Select(sdk => Path.Combine(sdk, "Roslyn", "bincore", "csc.dll")).Last(File.Exists);
        var start = new ProcessStartInfo(Path.Combine(dotnet, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                "exec", compiler, "-nologo", "-noconfig", "-nostdlib", "-langversion:latest", "-preferreduilang:en-US", "-target:library",
                $"-out:{source}.dll", $"-reference:{Path.Combine(runtime, "System.Private.CoreLib.dll")}",
                $"-reference:{Path.Combine(runtime, "System.Runtime.dll")}", $"-reference:{typeof(Watts).Assembly.Location}", source,
            },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode is 0 or 1, $"the compiler itself failed: {output} {errors.Result}");
        Assert.Equal(process.ExitCode == 1, Error().IsMatch(output));
        return output;
    }

    [GeneratedRegex(@"\((?<line>\d+),\d+\): error (?<code>CS\d+):", RegexOptions.None, 5000)]
    private static partial Regex Error();
}
