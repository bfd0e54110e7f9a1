namespace TokenFactory.Units;

/// <summary>
/// A physical or monetary rate that wraps one <see cref="double"/>: what <see cref="UnitAlgebra"/> needs to add, scale and compare it.
/// </summary>
/// <typeparam name="TSelf">The unit itself, so that two units cannot be mixed.</typeparam>
public interface IQuantity<TSelf>
    where TSelf : struct, IQuantity<TSelf>
{
    /// <summary>The number, in the unit that the type names.</summary>
    double Value { get; }

    /// <summary>The same unit around another number.</summary>
    static abstract TSelf Of(double value);
}
