using System.Globalization;
using System.Text;

namespace TokenFactory.Planning.Deploy;

/// <summary>Gives things names that Kubernetes, Compose and file systems take: DNS labels that begin with a letter, no two alike.</summary>
internal sealed class ObjectNames
{
    /// <summary>Longest name of a pool: leaves room for what controllers append within the 63 characters of a label.</summary>
    public const int Longest = 40;

    private readonly HashSet<string> _taken;

    /// <summary>Begins without names but those that are taken.</summary>
    /// <param name="reserved">Names that are taken from the start.</param>
    public ObjectNames(IEnumerable<string>? reserved = null) => _taken = new HashSet<string>(reserved ?? [], StringComparer.Ordinal);

    /// <summary>A name that no other thing has.</summary>
    /// <param name="text">What people call it.</param>
    /// <param name="otherwise">What to call it where nothing of that is left, "pool".</param>
    public string Take(string text, string otherwise)
    {
        var label = Label(text, otherwise);
        var name = label;
        for (var i = 2; _taken.Contains(name) || _taken.Contains(Replicas(name)); i++)
        {
            var suffix = $"-{i.ToString(CultureInfo.InvariantCulture)}";
            name = Cut(label, Longest - suffix.Length) + suffix;
        }

        _taken.Add(name);
        _taken.Add(Replicas(name));
        return name;
    }

    /// <summary>The name that resolves to the addresses of all replicas of a pool; no pool is called so.</summary>
    public static string Replicas(string pool) => $"{pool}-replicas";

    /// <summary>A DNS label made of a text: lower-case letters and digits of ASCII, the rest as single hyphens.</summary>
    public static string Label(string text, string otherwise)
    {
        var label = new StringBuilder();
        foreach (var c in text.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
                label.Append(c);
            else if (label.Length > 0 && label[^1] != '-')
                label.Append('-');
        }

        var word = label.ToString().Trim('-');
        if (word.Length == 0)
            return otherwise;
        return Cut(char.IsAsciiDigit(word[0]) ? $"{otherwise}-{word}" : word, Longest);
    }

    private static string Cut(string label, int length) => (label.Length <= length ? label : label[..length]).TrimEnd('-');
}
