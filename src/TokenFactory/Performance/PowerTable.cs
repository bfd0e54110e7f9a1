using System.Numerics;

namespace TokenFactory.Performance;

/// <summary>
/// What the boards of a replica draw, on a grid that is filled as it is asked and interpolated between: one point per doubling of sequences
/// and of contexts. It depends on nothing but the model.
/// </summary>
/// <param name="model">The replica.</param>
public sealed class PowerTable(ReplicaModel model)
{
    private const int SequencePoints = 16;
    private const int ContextPoints = 14;
    private const int LeastContext = 128;

    private readonly double[] _decode = new double[SequencePoints * ContextPoints];
    private double _prompt;

    /// <summary>Watts while nothing is computed.</summary>
    public double Idle => model.IdleWatts;

    /// <summary>Watts of a step full of prompt tokens.</summary>
    public double Prompt
    {
        get
        {
            if (_prompt > 0)
                return _prompt;
            double tokens = model.Deployment.TokenBudget;
            return _prompt = model.Step(new StepShape(0, 0, tokens, tokens * tokens / 2, 1)).Watts;
        }
    }

    /// <summary>Watts of steps in which sequences only generate.</summary>
    /// <param name="sequences">Sequences of the replica, over all its attention groups; at least 1.</param>
    /// <param name="context">Mean context in tokens.</param>
    public double Decode(int sequences, double context)
    {
        var (row, along) = Doubling(Math.Max(1, sequences), 1, SequencePoints);
        var (column, across) = Doubling(context, LeastContext, ContextPoints);
        var low = Mix(At(row, column), At(row, column + 1), across);
        return along <= 0 ? low : Mix(low, Mix(At(row + 1, column), At(row + 1, column + 1), across), along);
    }

    private double At(int row, int column)
    {
        ref var watts = ref _decode[(row * ContextPoints) + column];
        if (watts > 0)
            return watts;
        double sequences = 1L << row;
        var busiest = Math.Max(sequences / model.Deployment.AttentionGroups, 1);
        return watts = model.Decode(busiest, sequences, (double)LeastContext * (1L << column)).Watts;
    }

    private static double Mix(double low, double high, double share) => low + ((high - low) * share);

    private static (int Index, double Share) Doubling(double value, int least, int points)
    {
        if (value <= least)
            return (0, 0);
        var octave = BitOperations.Log2((uint)Math.Min(value / least, uint.MaxValue));
        if (octave >= points - 1)
            return (points - 2, 1);
        double low = (double)least * (1L << octave);
        return (octave, (value - low) / low);
    }
}
