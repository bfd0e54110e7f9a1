namespace TokenFactory.Catalog;

/// <summary>One of a few words, as files and flags write them.</summary>
public static class Choice
{
    /// <summary>The member of that name, whatever its case; null for anything else, numbers included.</summary>
    /// <typeparam name="T">The words.</typeparam>
    public static T? Of<T>(string? text)
        where T : struct, Enum
    {
        foreach (var member in Enum.GetValues<T>())
        {
            if (string.Equals(member.ToString(), text, StringComparison.OrdinalIgnoreCase))
                return member;
        }

        return null;
    }

    /// <summary>The words in lower case, joined for a message.</summary>
    /// <typeparam name="T">The words.</typeparam>
    public static string Words<T>()
        where T : struct, Enum
    {
        var words = Enum.GetNames<T>().Select(name => name.ToLowerInvariant()).ToList();
        return $"{string.Join(", ", words.SkipLast(1))} or {words[^1]}";
    }
}
