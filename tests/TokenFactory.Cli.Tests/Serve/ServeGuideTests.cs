using System.Text.RegularExpressions;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>The guide of serve tells every key that the factory file may have, and every code that the gateway answers.</summary>
public sealed partial class ServeGuideTests
{
    [Theory]
    [InlineData("")]
    [InlineData("models.0.")]
    [InlineData("tenants.0.")]
    [InlineData("store.")]
    [InlineData("limits.")]
    [InlineData("health.")]
    [InlineData("telemetry.")]
    [InlineData("tls.")]
    [InlineData("pools.0.", "simulate", "predict")]
    [InlineData("classes.0.", "simulate")]
    [InlineData("policies.", "simulate")]
    public void Every_key_of_the_factory_file_is_told(string mapping, params string[] others)
    {
        var run = Program.Run("serve", "examples/serve-fleet.yaml", "--check", "--set", $"{mapping}qqqq=1");
        var known = Known().Match(run.Err).Groups["keys"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries);
        Assert.True(known.Length > 1, run.Err);
        var pages = string.Concat(others.Prepend("serve").Select(page => Repository.Text("docs", "guide", page + ".md")));
        Assert.All(known, key => Assert.True(pages.Contains($"`{key}`", StringComparison.Ordinal) || pages.Contains($"`{mapping}{key}`", StringComparison.Ordinal), key));
    }

    [Fact]
    public void Every_code_that_the_gateway_answers_is_told()
    {
        var guide = Repository.Text("docs", "guide", "serve.md");
        var codes = new[] { "Api", "Tenants" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.Path("src", "TokenFactory.Gateway", folder), "*.cs"))
            .SelectMany(path => Code().Matches(File.ReadAllText(path)))
            .Select(match => (Status: match.Groups["status"].Value, Code: match.Groups["code"].Value))
            .Distinct()
            .ToList();
        Assert.True(codes.Count > 15, $"{codes.Count}");
        Assert.All(codes, one => Assert.Matches($@"(?m)^\| [0-9, ]*{one.Status}[0-9, ]* \| [^|]*`{one.Code}`", guide));
    }

    [GeneratedRegex("Known here: (?<keys>.*)\\.$", RegexOptions.Multiline)]
    private static partial Regex Known();

    [GeneratedRegex("(?<status>[45][0-9][0-9]),\\s*\"(?<code>[a-z_]+)\"")]
    private static partial Regex Code();
}
