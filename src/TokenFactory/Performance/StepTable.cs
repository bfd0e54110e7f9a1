using System.Numerics;

namespace TokenFactory.Performance;

/// <summary>
/// The steps of a replica's model on a grid, filled as it is asked and interpolated between: a few nanoseconds where the model takes
/// hundreds. Two points per doubling of sequences and chunks, one per doubling of contexts; it depends on nothing but the model, so the
/// order of questions changes no answer.
/// </summary>
public sealed class StepTable
{
    private const int SequencePoints = 32;
    private const int ContextPoints = 18;
    private const int ChunkPoints = 40;
    private const int LeastContext = 128;
    private const double ReferenceContext = 1024;

    private readonly double[] _decode = new double[SequencePoints * ContextPoints];
    private readonly double[] _prompt = new double[SequencePoints * ChunkPoints];
    private readonly double _pairSeconds;
    private readonly double _perStep;
    private readonly int _groups;

    /// <summary>The table of a model.</summary>
    /// <param name="model">What it asks.</param>
    public StepTable(ReplicaModel model)
    {
        Model = model;
        TokenBudget = model.Deployment.TokenBudget;
        _groups = model.Deployment.AttentionGroups;
        _perStep = model.Deployment.Speculation?.TokensPerStep ?? 1;
        _pairSeconds = PairSeconds();
    }

    /// <summary>What it asks.</summary>
    public ReplicaModel Model { get; }

    /// <summary>Most prompt tokens of a step.</summary>
    public int TokenBudget { get; }

    /// <summary>Seconds of a step in which sequences only generate; 0 where there are none.</summary>
    /// <param name="sequences">Sequences of the replica, over all its attention groups.</param>
    /// <param name="context">Mean context in tokens.</param>
    public double Decode(int sequences, double context)
    {
        if (sequences <= 0)
            return 0;
        var (row, along) = Half(sequences);
        var (column, across) = Doubling(context);
        var low = Mix(DecodeAt(row, column), DecodeAt(row, column + 1), across);
        return along <= 0 ? low : Mix(low, Mix(DecodeAt(row + 1, column), DecodeAt(row + 1, column + 1), across), along);
    }

    /// <summary>Seconds from one token of a sequence to its next while sequences only generate.</summary>
    /// <param name="sequences">Sequences of the replica, over all its attention groups.</param>
    /// <param name="context">Mean context in tokens.</param>
    public double Token(int sequences, double context) => Decode(sequences, context) / _perStep;

    /// <summary>
    /// Seconds that computing prompt tokens adds to the steps in which sequences generate; the whole steps where none does.
    /// </summary>
    /// <param name="tokens">Prompt tokens.</param>
    /// <param name="cached">Tokens before them that are in the KV cache already.</param>
    /// <param name="sequences">Sequences that generate in the same steps.</param>
    public double Prompt(long tokens, double cached, int sequences)
    {
        if (tokens <= 0)
            return 0;
        var beside = Model.SeparatesPrompts ? 0 : sequences;
        var (full, rest) = Math.DivRem(tokens, TokenBudget);
        var seconds = full > 0 ? full * Chunk(TokenBudget, beside) : 0;
        if (rest > 0)
            seconds += Chunk((int)rest, beside);
        var pairs = tokens * (cached + (tokens / 2.0));
        return seconds + ((pairs - OwnPairs(full, rest)) * _pairSeconds);
    }

    /// <summary>Steps that prompt tokens are spread over.</summary>
    /// <param name="tokens">Prompt tokens.</param>
    public long Chunks(long tokens) => (tokens + TokenBudget - 1) / TokenBudget;

    /// <summary>Pairs that the table's chunks have among themselves.</summary>
    private double OwnPairs(long full, long rest) => ((full * (double)TokenBudget * TokenBudget) + ((double)rest * rest)) / 2;

    private double Chunk(int tokens, int sequences)
    {
        var (row, along) = sequences <= 0 ? (-1, 0) : Half(sequences);
        var (column, across) = Half(tokens);
        var low = Mix(PromptAt(row, column), PromptAt(row, column + 1), across);
        return along <= 0 ? low : Mix(low, Mix(PromptAt(row + 1, column), PromptAt(row + 1, column + 1), across), along);
    }

    private double DecodeAt(int row, int column)
    {
        ref var seconds = ref _decode[(row * ContextPoints) + column];
        return seconds > 0 ? seconds : seconds = DecodeSeconds(PointAt(row), LeastContext << column);
    }

    /// <summary>Row -1 stands for no sequence beside the prompt.</summary>
    private double PromptAt(int row, int column)
    {
        ref var seconds = ref _prompt[((row + 1) * ChunkPoints) + column];
        if (seconds > 0)
            return seconds;
        var (sequences, tokens) = (row < 0 ? 0 : PointAt(row), PointAt(column));
        return seconds = Math.Max(double.Epsilon, MixedSeconds(sequences, tokens) - DecodeSeconds(sequences, ReferenceContext));
    }

    private double DecodeSeconds(double sequences, double context) =>
        sequences <= 0 ? 0 : Model.Decode(Busiest(sequences), sequences, context).Seconds;

    private double MixedSeconds(double sequences, double tokens)
    {
        var each = sequences <= 0 ? 0 : Busiest(sequences);
        return Model.Step(new StepShape(
            each, each * ReferenceContext, tokens, tokens * tokens / 2, 1, OtherGroupsSequences: sequences - each)).Seconds;
    }

    private double Busiest(double sequences) => Math.Max(sequences / _groups, Math.Min(sequences, 1));

    private double PairSeconds()
    {
        double tokens = TokenBudget;
        var near = Model.Step(new StepShape(0, 0, tokens, tokens * tokens / 2, 1)).Seconds;
        var far = Model.Step(new StepShape(0, 0, tokens, tokens * tokens * 2.5, 1)).Seconds;
        return Math.Max(0, (far - near) / (tokens * tokens * 2));
    }

    private static double Mix(double low, double high, double share) => low + ((high - low) * share);

    /// <summary>1, 1.5, 2, 3, 4, 6, 8 ...</summary>
    private static double PointAt(int index) => (1L << (index / 2)) * (index % 2 == 0 ? 1 : 1.5);

    private static (int Index, double Share) Half(int count)
    {
        var octave = BitOperations.Log2((uint)count);
        var (whole, doubled) = (1L << octave, 2L * count);
        var index = 2 * octave;
        return doubled < 3 * whole
            ? Within(index, (doubled - (2.0 * whole)) / whole)
            : Within(index + 1, (doubled - (3.0 * whole)) / whole);

        static (int, double) Within(int at, double share) => at < SequencePoints - 2 ? (at, share) : (SequencePoints - 2, 1);
    }

    private static (int Index, double Share) Doubling(double context)
    {
        if (context <= LeastContext)
            return (0, 0);
        var octave = Math.Min(BitOperations.Log2((uint)Math.Min(context, uint.MaxValue) / LeastContext), ContextPoints - 2);
        double low = LeastContext << octave;
        return (octave, (context - low) / low);
    }
}
