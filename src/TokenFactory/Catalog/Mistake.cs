namespace TokenFactory.Catalog;

/// <summary>One thing wrong with what the user gave. All mistakes of an input are gathered before anything happens.</summary>
/// <param name="Where">The file with its line or path, or the flag.</param>
/// <param name="What">The setting, its present value and what is wrong with it.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record Mistake(string Where, string What, string Remedy)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Where}: {What}. {Remedy}{(Remedy.EndsWith('?') || Remedy.EndsWith('.') ? "" : ".")}";
}
