namespace TokenFactory.Planning.Programme;

/// <summary>What splits have cost so far: by how much the bound rose per unit by which a variable was moved (pseudo-costs).</summary>
internal sealed class BranchingHistory(int variables)
{
    private readonly (double Sum, int Count)[] _down = new (double, int)[variables];
    private readonly (double Sum, int Count)[] _up = new (double, int)[variables];
    private (double Sum, int Count) _all;

    public bool Known(int variable) => _down[variable].Count > 0 && _up[variable].Count > 0;

    public void Learn(int variable, bool up, double distance, double gain)
    {
        var unit = Math.Max(0, gain) / Math.Max(1e-6, distance);
        ref var entry = ref (up ? _up : _down)[variable];
        entry = (entry.Sum + unit, entry.Count + 1);
        _all = (_all.Sum + unit, _all.Count + 1);
    }

    /// <summary>By how much the bound is expected to rise.</summary>
    public double Expected(int variable, bool up, double distance)
    {
        var (sum, count) = (up ? _up : _down)[variable];
        var unit = count > 0 ? sum / count : _all.Count > 0 ? _all.Sum / _all.Count : 1;
        return unit * distance;
    }

    /// <summary>How good a split is: both halves should rise.</summary>
    public double Score(int variable, double fraction)
    {
        const double Least = 1e-9;
        return Math.Max(Least, Expected(variable, false, fraction)) * Math.Max(Least, Expected(variable, true, 1 - fraction));
    }
}
