using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace TokenFactory.Cli.Input;

/// <summary>Sets a key of a YAML file from the command line: "pools.0.replicas", "pools.h100.tp", "policies.routing".</summary>
internal static class YamlPath
{
    /// <summary>Sets a key, making the mappings on the way; a null value takes the key away.</summary>
    /// <returns>The nodes that the file does not hold.</returns>
    /// <exception cref="Refusal">The path leads nowhere.</exception>
    public static IReadOnlyList<YamlNode> Set(YamlMappingNode root, string path, string? value)
    {
        var steps = path.Split('.');
        var made = new List<YamlNode>();
        YamlNode at = root;
        for (var i = 0; i < steps.Length - 1; i++)
        {
            if (Into(at, steps[i], value is not null ? made : null) is { } next)
                at = next;
            else if (value is null)
                return [];
            else
                throw Nowhere(path, steps[i], at);
        }

        if (at is not YamlMappingNode mapping)
            throw Nowhere(path, steps[^1], at);
        mapping.Children.Remove(new YamlScalarNode(steps[^1]));
        if (value is null)
            return [];
        var (key, node) = (new YamlScalarNode(steps[^1]), Parsed(path, value));
        mapping.Add(key, node);
        return [.. made, key, .. node.AllNodes];
    }

    private static YamlNode? Into(YamlNode at, string step, List<YamlNode>? made)
    {
        switch (at)
        {
            case YamlMappingNode mapping when mapping.Children.TryGetValue(new YamlScalarNode(step), out var found):
                return found;
            case YamlMappingNode mapping when made is not null:
                var (key, inner) = (new YamlScalarNode(step), new YamlMappingNode());
                mapping.Add(key, inner);
                made.AddRange([key, inner]);
                return inner;
            case YamlSequenceNode list when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index):
                return index < list.Children.Count ? list.Children[index] : null;
            case YamlSequenceNode list:
                return list.Children.FirstOrDefault(item => NameOf(item) == step);
            default:
                return null;
        }
    }

    private static string? NameOf(YamlNode item) =>
        item is YamlMappingNode mapping && mapping.Children.TryGetValue(new YamlScalarNode("name"), out var name)
            ? (name as YamlScalarNode)?.Value
            : null;

    /// <summary>A value may be any YAML: a number, a text, {lognormal: {mean: 100, cv: 1}}.</summary>
    private static YamlNode Parsed(string path, string value)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(value));
            return yaml.Documents.Count == 1 ? yaml.Documents[0].RootNode : new YamlScalarNode(value);
        }
        catch (YamlException bad)
        {
            throw new Refusal("command line", $"--set {path} is '{value}', which is not YAML: {bad.Message}", "Mend the value");
        }
    }

    private static Refusal Nowhere(string path, string step, YamlNode at)
    {
        var known = at switch
        {
            YamlMappingNode mapping => mapping.Children.Keys.Select(key => key.ToString()),
            YamlSequenceNode list => list.Children.Select((item, index) => NameOf(item) is { } name ? $"{index} or {name}" : $"{index}"),
            _ => [],
        };
        return new Refusal("command line", $"--set {path}: there is no '{step}'", $"There: {string.Join(", ", known)}");
    }
}
