using TokenFactory.Catalog;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>What predict reads and writes besides its settings.</summary>
/// <param name="Sweep">The curve that is asked for, or null.</param>
/// <param name="Svg">Where it is drawn, or null.</param>
/// <param name="From">The table of points to answer, or null.</param>
/// <param name="To">Where the answers go, or null for standard output.</param>
internal sealed record PredictFiles(string? Sweep, string? Svg, string? From, string? To)
{
    /// <summary>Refuses combinations that mean nothing, all at once.</summary>
    /// <param name="flags">Settings on the command line.</param>
    /// <param name="file">The YAML file, or null.</param>
    /// <param name="json">JSON is asked for.</param>
    public void Check(Settings flags, string? file, bool json)
    {
        var mistakes = new List<Mistake>();
        if (To is not null && From is null)
            Note($"--out is '{To}', and there is no table to answer", "Give --from too");
        if (Svg is not null && Sweep is null)
            Note($"--svg is '{Svg}', and there is no curve to draw", "Give --sweep too, such as --sweep concurrency=1..512");
        if (From is not null)
            CheckTable();
        mistakes.AddRange(FilePlaces.Clashes([file, From], [("--svg", Svg), ("--out", To)]));
        Refusal.IfAny(mistakes);

        void CheckTable()
        {
            const string one = "Its rows describe their own deployments: give one of the two";
            foreach (var key in flags.Keys())
                Note($"--{key.Replace('_', '-')} contradicts --from", one);
            if (file is not null)
                Note($"'{file}' contradicts --from", one);
            if (Sweep is not null)
                Note("--sweep contradicts --from", one);
            if (json && To is null)
                Note("--json contradicts --from without --out: the answers are CSV", "Give --out FILE.csv, and the summary is JSON");
        }

        void Note(string what, string remedy) => mistakes.Add(new Mistake("command line", what, remedy));
    }
}
