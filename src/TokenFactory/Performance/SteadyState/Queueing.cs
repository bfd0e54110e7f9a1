namespace TokenFactory.Performance.SteadyState;

/// <summary>How long requests wait for one another: Kingman's approximation for one server (Kingman 1961), Sakasegawa's for many.</summary>
internal static class Queueing
{
    /// <summary>The fullest a server is taken to be: nearer to 1 the formula knows no bound, while the batch absorbs the rest.</summary>
    public const double Fullest = 0.95;

    /// <summary>Squared coefficient of variation of the work a prompt brings; prompts of one load differ little in length.</summary>
    private const double WorkVariability = 0.25;

    /// <summary>
    /// Mean seconds of waiting for one of many places that requests of one length take for as long as they last (Sakasegawa 1977).
    /// </summary>
    /// <param name="service">Seconds that a request keeps its place.</param>
    /// <param name="places">How many there are.</param>
    /// <param name="busy">Share of them that is taken, below 1.</param>
    /// <param name="arrivals">Coefficient of variation of the time between arrivals: 1 for Poisson.</param>
    public static double WaitForPlace(double service, double places, double busy, double arrivals) =>
        service * Math.Pow(busy, Math.Sqrt(2 * (places + 1)) - 1) / (places * (1 - busy)) * arrivals * arrivals / 2;

    /// <summary>Mean seconds of waiting.</summary>
    /// <param name="service">Seconds that one request takes.</param>
    /// <param name="busy">Share of the time that the server is busy, below 1.</param>
    /// <param name="arrivals">Coefficient of variation of the time between arrivals: 1 for Poisson.</param>
    public static double Wait(double service, double busy, double arrivals) =>
        service * busy / (1 - busy) * ((arrivals * arrivals) + WorkVariability) / 2;
}
