using TokenFactory.Planning.Mix;
using TokenFactory.Planning.Programme;

namespace TokenFactory.Tests.Planning.Mix;

/// <summary>Melange's own programme: each bucket cut into slices, each slice whole on one GPU type (economics.md 1.9).</summary>
internal static class MelangeProgramme
{
    public static double Solve(MixProblem problem, int slices)
    {
        var programme = new IntegerProgramme();
        var counts = problem.Options.Select(option => programme.Whole(option.UsdPerHour)).ToList();
        var taken = problem.Options.Select(_ => new List<(int, double)>()).ToList();
        for (var i = 0; i < problem.Buckets.Count; i++)
        {
            for (var slice = 0; slice < slices; slice++)
            {
                var choices = counts.Select(_ => programme.Whole(0, 0, 1)).ToList();
                programme.Row(choices.Select(choice => (choice, 1.0)), RowSense.Equal, 1);
                for (var j = 0; j < counts.Count; j++)
                    taken[j].Add((choices[j], problem.Options[j].Loads[i] * problem.Buckets[i].RequestsPerSecond / slices));
            }
        }

        for (var j = 0; j < counts.Count; j++)
            programme.Row(taken[j].Append((counts[j], -1)), RowSense.AtMost, 0);
        var optimum = programme.Solve();
        Assert.Equal(ProgrammeStatus.Optimal, optimum.Status);
        return optimum.Objective;
    }
}
