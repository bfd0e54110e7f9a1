using System.Text.RegularExpressions;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>What plan writes for a gateway is what serve reads.</summary>
public sealed class EmittedGatewayTests
{
    public static TheoryData<string> Kept() =>
        [.. Directory.EnumerateFiles(Repository.Path("tests", "data", "deploy"), "gateway.yaml", SearchOption.AllDirectories)
            .Where(path => !path.Contains("kubernetes", StringComparison.Ordinal)) // a manifest, which holds the other as a text
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Kept))]
    public void A_kept_gateway_file_is_right_or_refused_for_its_roles_alone(string file)
    {
        var run = Program.Run("serve", file, "--check");
        var roles = Regex.Count(Repository.Text(file), "^    role: ", RegexOptions.Multiline);
        if (roles == 0)
        {
            Assert.True(run.Code == 0, run.Err);
            Assert.DoesNotContain("Assumed", run.Out, StringComparison.Ordinal);
            Assert.Contains("has no price: its tenants are charged nothing", run.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(2, run.Code);
            Assert.Equal(roles, run.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            Assert.Equal(roles, Regex.Count(run.Err, "the gateway does not pair prompts and answers of separate pools yet"));
        }
    }

    [Fact]
    public void A_fleet_that_was_just_planned_is_served_as_it_was_planned()
    {
        using var folder = new TemporaryFolder();
        var target = Path.Combine(folder.Root, "out");
        var plan = PlanAsks.Plan(folder, ["search={disaggregated: no}"], "--emit", target, "--json");
        Assert.True(plan.Code == 0, plan.Err);
        var (planned, check) = (plan.Json.GetProperty("fleet")[0], Program.Run("serve", Path.Combine(target, "compose", "gateway.yaml"), "--check", "--json"));
        Assert.True(check.Code == 0, check.Err);
        var served = check.Json.GetProperty("pools")[0];
        Assert.Equal(planned.GetProperty("pool").GetString(), served.GetProperty("pool").GetString());
        Assert.Equal(planned.GetProperty("replicas").GetDouble(), served.GetProperty("replicas").GetDouble());
    }
}
