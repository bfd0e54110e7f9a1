namespace TokenFactory.Gateway.Admin;

/// <summary>A request that the admin API does not do, as HTTP says it.</summary>
internal sealed class AdminRefusal(int status, string code, string message, params IReadOnlyList<AdminMistake> mistakes)
    : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public IReadOnlyList<AdminMistake> Mistakes { get; } = mistakes;
}
