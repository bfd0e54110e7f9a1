namespace TokenFactory.Catalog;

/// <summary>One of a few words, as files and flags write them.</summary>
public static class Choice
{
    /// <summary>The member of that name, whatever its case; null for anything else, numbers included.</summary>
    /// <typeparam name="T">The words.</typeparam>
    public static T? Of<T>(string? text)
        where T : struct, Enum
    {
        // Enum.TryParse also takes numbers and lists; a word of letters is neither.
        var word = text is { Length: > 0 } && text.All(char.IsAsciiLetter);
        return word && Enum.TryParse<T>(text, ignoreCase: true, out var member) ? member : null;
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
