namespace TokenFactory.Catalog;

/// <summary>
/// Finds a thing by any of its names, however it is written: case, spaces and punctuation do not count,
/// so "h100", "H100 SXM" and "h100-sxm-80gb" find the same accelerator.
/// </summary>
/// <typeparam name="T">What is named.</typeparam>
public sealed class NameIndex<T>
    where T : class
{
    private readonly Dictionary<string, T> _byName = new(StringComparer.Ordinal);
    private readonly List<(string Folded, string Display)> _names = [];

    /// <summary>Adds a name. A name that another thing already bears stays with the first.</summary>
    /// <returns>The thing that already bears it, or null.</returns>
    public T? Add(string name, T thing, string display)
    {
        var folded = Names.Fold(name);
        if (_byName.TryGetValue(folded, out var bearer))
            return ReferenceEquals(bearer, thing) ? null : bearer;
        _byName.Add(folded, thing);
        _names.Add((folded, display));
        return null;
    }

    /// <summary>The thing of that name, or null.</summary>
    public T? Find(string name) => _byName.GetValueOrDefault(Names.Fold(name));

    /// <summary>Up to three names nearest to one that was not found, nearest first; empty when nothing is near.</summary>
    public IReadOnlyList<string> Nearest(string name)
    {
        var wanted = Names.Fold(name);
        return
        [
            .. _names.Select(known => (known.Display, Distance: Names.Distance(wanted, known.Folded)))
                .Where(known => known.Distance <= Math.Max(2, wanted.Length / 2))
                .OrderBy(known => known.Distance)
                .ThenBy(known => known.Display, StringComparer.Ordinal)
                .Select(known => known.Display)
                .Distinct(StringComparer.Ordinal)
                .Take(3),
        ];
    }
}

/// <summary>How names are compared, and the measure behind "did you mean".</summary>
public static class Names
{
    /// <summary>The name without anything but lower-case letters and digits.</summary>
    public static string Fold(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>The nearest of <paramref name="known"/> to a misspelt name, or null when none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        var nearest = known.Select(k => (Name: k, Distance: Distance(name, k))).OrderBy(k => k.Distance).FirstOrDefault();
        return nearest.Name is not null && nearest.Distance <= Math.Max(2, name.Length / 2) ? nearest.Name : null;
    }

    /// <summary>Insertions, deletions and replacements between two names; a name that contains the other is nearer still.</summary>
    public static int Distance(string left, string right)
    {
        if (left.Length > 1
            && right.Length > 1
            && (right.Contains(left, StringComparison.OrdinalIgnoreCase) || left.Contains(right, StringComparison.OrdinalIgnoreCase)))
            return 1;
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
