namespace TokenFactory.Units;

/// <summary>Where a watt is measured; each boundary contains the one before it.</summary>
public enum PowerBoundary
{
    /// <summary>The silicon alone.</summary>
    Chip,

    /// <summary>The accelerator's board or module: what NVML, amd-smi and TDP speak of.</summary>
    Board,

    /// <summary>The server at its power supplies' AC input: boards, host, fans, conversion loss.</summary>
    Chassis,

    /// <summary>All IT equipment: chassis and its share of the network.</summary>
    It,

    /// <summary>The site's meter: IT power times PUE.</summary>
    Facility,
}

/// <summary>Watts that say where they are measured; watts of two boundaries are never added by accident.</summary>
/// <param name="Watts">How much.</param>
/// <param name="Boundary">Measured where.</param>
public readonly record struct Power(Watts Watts, PowerBoundary Boundary)
{
    /// <summary>The power of <paramref name="count"/> such devices at the same boundary.</summary>
    public Power Times(double count) => new(Watts * count, Boundary);
}
