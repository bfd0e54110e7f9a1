namespace TokenFactory.Units;

/// <summary>
/// Every relation between units, once. What is not in this table does not compile.
/// Durations are <see cref="TimeSpan"/>; money of the ledger is <see cref="Usd"/>.
/// </summary>
public static class UnitAlgebra
{
    private const double JoulesPerKilowattHour = 3.6e6;
    private const double TokensPerMillion = 1e6;
    private const double WattsPerKilowatt = 1e3;
    private const double SecondsPerHour = 3600;

    /// <summary>A quantity adds to, subtracts from, compares with and divides by its own kind, and scales by a number.</summary>
    extension<T>(T)
        where T : struct, IQuantity<T>
    {
        /// <summary>Sum of the same unit.</summary>
        public static T operator +(T left, T right) => T.Of(left.Value + right.Value);

        /// <summary>Difference of the same unit.</summary>
        public static T operator -(T left, T right) => T.Of(left.Value - right.Value);

        /// <summary>Scaled by a number.</summary>
        public static T operator *(T left, double factor) => T.Of(left.Value * factor);

        /// <summary>Scaled by a number.</summary>
        public static T operator *(double factor, T right) => T.Of(factor * right.Value);

        /// <summary>Divided by a number.</summary>
        public static T operator /(T left, double divisor) => T.Of(left.Value / divisor);

        /// <summary>How many times the one goes into the other.</summary>
        public static double operator /(T left, T right) => left.Value / right.Value;

        /// <summary>Less, in the same unit.</summary>
        public static bool operator <(T left, T right) => left.Value < right.Value;

        /// <summary>More, in the same unit.</summary>
        public static bool operator >(T left, T right) => left.Value > right.Value;

        /// <summary>Not more, in the same unit.</summary>
        public static bool operator <=(T left, T right) => left.Value <= right.Value;

        /// <summary>Not less, in the same unit.</summary>
        public static bool operator >=(T left, T right) => left.Value >= right.Value;
    }

    extension(Watts)
    {
        /// <summary>W x s = J.</summary>
        public static Joules operator *(Watts power, TimeSpan time) => new(power.Value * time.TotalSeconds);

        /// <summary>W / (tok/s) = J/tok.</summary>
        public static JoulesPerToken operator /(Watts power, TokensPerSecond rate) => new(power.Value / rate.Value);

        /// <summary>kW x $/kWh = $/h.</summary>
        public static UsdPerHour operator *(Watts power, UsdPerKilowattHour price) => new(power.Value / WattsPerKilowatt * price.Value);

        /// <summary>IT power x PUE = facility power.</summary>
        public static Watts operator *(Watts power, Pue pue) => new(power.Value * pue.Value);
    }

    extension(Joules)
    {
        /// <summary>J / s = W.</summary>
        public static Watts operator /(Joules energy, TimeSpan time) => new(energy.Value / time.TotalSeconds);

        /// <summary>kWh x $/kWh = $.</summary>
        public static Usd operator *(Joules energy, UsdPerKilowattHour price) =>
            new((decimal)(energy.Value / JoulesPerKilowattHour * price.Value));
    }

    extension(TokensPerSecond)
    {
        /// <summary>(tok/s) / W = tok/J.</summary>
        public static TokensPerJoule operator /(TokensPerSecond rate, Watts power) => new(rate.Value / power.Value);

        /// <summary>tok/s x J/tok = W.</summary>
        public static Watts operator *(TokensPerSecond rate, JoulesPerToken energy) => new(rate.Value * energy.Value);

        /// <summary>tok/s x s = tok, to the nearest token.</summary>
        public static Tokens operator *(TokensPerSecond rate, TimeSpan time) => new((long)Math.Round(rate.Value * time.TotalSeconds));

        /// <summary>tok/s x $/M tok = $/h.</summary>
        public static UsdPerHour operator *(TokensPerSecond rate, UsdPerMillionTokens price) =>
            new(rate.Value * SecondsPerHour / TokensPerMillion * price.Value);
    }

    extension(UsdPerHour)
    {
        /// <summary>$/h x h = $.</summary>
        public static Usd operator *(UsdPerHour price, TimeSpan time) => new((decimal)(price.Value * time.TotalHours));

        /// <summary>$/h / (tok/s) = $/M tok.</summary>
        public static UsdPerMillionTokens operator /(UsdPerHour price, TokensPerSecond rate) =>
            new(price.Value / (rate.Value * SecondsPerHour) * TokensPerMillion);
    }

    extension(JoulesPerToken)
    {
        /// <summary>J/tok x $/kWh = $/M tok.</summary>
        public static UsdPerMillionTokens operator *(JoulesPerToken energy, UsdPerKilowattHour price) =>
            new(energy.Value * TokensPerMillion / JoulesPerKilowattHour * price.Value);

        /// <summary>J/tok x g/kWh = g/M tok.</summary>
        public static GramsPerMillionTokens operator *(JoulesPerToken energy, GramsPerKilowattHour intensity) =>
            new(energy.Value * TokensPerMillion / JoulesPerKilowattHour * intensity.Value);

        /// <summary>J/tok x PUE = J/tok at the facility's meter.</summary>
        public static JoulesPerToken operator *(JoulesPerToken energy, Pue pue) => new(energy.Value * pue.Value);
    }

    extension(UsdPerMillionTokens)
    {
        /// <summary>$/M tok x tok = $.</summary>
        public static Usd operator *(UsdPerMillionTokens price, Tokens count) => new((decimal)price.Value * count.Value / 1_000_000m);
    }

    extension(Usd)
    {
        /// <summary>Sum of money.</summary>
        public static Usd operator +(Usd left, Usd right) => new(left.Value + right.Value);

        /// <summary>Difference of money.</summary>
        public static Usd operator -(Usd left, Usd right) => new(left.Value - right.Value);

        /// <summary>Money scaled by a count or share.</summary>
        public static Usd operator *(Usd left, decimal factor) => new(left.Value * factor);
    }

    extension(Tokens)
    {
        /// <summary>Sum of counts.</summary>
        public static Tokens operator +(Tokens left, Tokens right) => new(checked(left.Value + right.Value));
    }
}
