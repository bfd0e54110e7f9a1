using TokenFactory.Catalog;

namespace TokenFactory.Cli.Input;

/// <summary>The program could not answer: every mistake of the input, found before anything was done. Exit code 2.</summary>
internal sealed class Refusal : Exception
{
    public Refusal(IReadOnlyList<Mistake> mistakes)
        : base(string.Join('\n', mistakes)) => Mistakes = mistakes;

    public Refusal(string where, string what, string remedy)
        : this([new Mistake(where, what, remedy)])
    {
    }

    public IReadOnlyList<Mistake> Mistakes { get; }

    /// <summary>Refuses where there is any mistake.</summary>
    public static void IfAny(IReadOnlyList<Mistake> mistakes)
    {
        if (mistakes.Count > 0)
            throw new Refusal(mistakes);
    }
}
