using System.Text.RegularExpressions;
using TokenFactory.Planning.Deploy;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace TokenFactory.Cli.Input;

/// <summary>Takes parts of a YAML file over into documents that are written: the same values, without comments.</summary>
internal static partial class YamlDocs
{
    /// <summary>A copy of a node.</summary>
    public static Doc Of(YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode map:
                var copy = new DocMap();
                foreach (var (key, value) in map.Children)
                    copy.Add(((YamlScalarNode)key).Value ?? "", Of(value));
                return copy;
            case YamlSequenceNode list:
                var items = new DocList();
                foreach (var item in list.Children)
                    items.Add(Of(item));
                return items;
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: { } word } when Bare().IsMatch(word):
                return new DocWord(word);
            default:
                return new DocText(((YamlScalarNode)node).Value ?? "");
        }
    }

    /// <summary>Numbers, truth values and nothing, as YAML's core schema has them.</summary>
    [GeneratedRegex(@"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|true|false|null|~)\z",
        RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Bare();
}
