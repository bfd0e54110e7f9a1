using System.Runtime.InteropServices;

namespace TokenFactory.Performance.Calibration;

/// <summary>Terms as arrays of numbers, which is what a regression takes and gives.</summary>
internal static class TermArrays
{
    /// <summary>The numbers of the terms, each times a weight.</summary>
    /// <typeparam name="T">Step, first-token or power terms.</typeparam>
    public static double[] Of<T>(T terms, double weight = 1)
        where T : struct
    {
        var numbers = MemoryMarshal.Cast<T, double>(MemoryMarshal.CreateReadOnlySpan(in terms, 1)).ToArray();
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] *= weight;
        return numbers;
    }

    /// <summary>The terms of the numbers.</summary>
    /// <typeparam name="T">Step, first-token or power terms.</typeparam>
    public static T To<T>(double[] numbers)
        where T : struct =>
        MemoryMarshal.Read<T>(MemoryMarshal.AsBytes(numbers.AsSpan()));
}
