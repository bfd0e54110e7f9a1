using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>Energy per token and what follows from it. Every watt goes in with its boundary.</summary>
public static class TokenEnergy
{
    private const double JoulesPerKilowattHour = 3.6e6;
    private const double TokensPerMillion = 1e6;
    private const double WattsPerMegawatt = 1e6;

    /// <summary>J/tok at the boundary where the power is measured: P / T.</summary>
    /// <param name="perGpu">Power per GPU.</param>
    /// <param name="throughput">Tokens per second and GPU.</param>
    public static JoulesPerToken PerToken(Power perGpu, TokensPerSecond throughput) => perGpu.Watts / throughput;

    /// <summary>Tokens per watt, that is tokens per second per watt = tokens per joule: T / P.</summary>
    public static TokensPerJoule PerWatt(TokensPerSecond throughput, Power perGpu) => throughput / perGpu.Watts;

    /// <summary>Tokens per second that a megawatt at that boundary makes.</summary>
    public static TokensPerSecond PerMegawatt(TokensPerSecond throughput, Power perGpu) =>
        throughput * (WattsPerMegawatt / perGpu.Watts.Value);

    /// <summary>kWh per million tokens: J/tok / 3.6.</summary>
    public static double KilowattHoursPerMillion(JoulesPerToken energy) => energy.Value * TokensPerMillion / JoulesPerKilowattHour;

    /// <summary>$ of electricity per million tokens: J/tok x PUE x $/kWh / 3.6.</summary>
    /// <param name="energy">J/tok at the IT boundary.</param>
    /// <param name="pue">Facility over IT power.</param>
    /// <param name="electricity">Price of a kilowatt-hour at the meter.</param>
    public static UsdPerMillionTokens Cost(JoulesPerToken energy, Pue pue, UsdPerKilowattHour electricity) => energy * pue * electricity;

    /// <summary>gCO2 per million tokens: J/tok x PUE / 3.6 x g/kWh.</summary>
    public static GramsPerMillionTokens Carbon(JoulesPerToken energy, Pue pue, GramsPerKilowattHour intensity) => energy * pue * intensity;
}
