namespace TokenFactory.Performance.Calibration;

/// <summary>How terms and other words of code are written in tables: DecodeGemm as "decode-gemm".</summary>
public static class TermWords
{
    /// <summary>The word of a member.</summary>
    /// <typeparam name="T">The words.</typeparam>
    public static string Of<T>(T member)
        where T : struct, Enum =>
        string.Concat(member.ToString().Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
