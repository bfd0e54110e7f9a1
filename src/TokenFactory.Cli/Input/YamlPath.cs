using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace TokenFactory.Cli.Input;

/// <summary>Sets a key of a YAML file from the command line: "pools.0.replicas", "pools.h100.tp", "policies.routing".</summary>
internal static class YamlPath
{
    /// <summary>Sets a key, making the mappings on the way; a null value takes the key away.</summary>
    /// <exception cref="Refusal">The path leads nowhere.</exception>
    public static void Set(YamlMappingNode root, string path, string? value)
    {
        var steps = path.Split('.');
        YamlNode at = root;
        for (var i = 0; i < steps.Length - 1; i++)
        {
            if (Into(at, steps[i], make: value is not null) is { } next)
                at = next;
            else if (value is null)
                return;
            else
                throw Nowhere(path, steps[i], at);
        }

        if (at is not YamlMappingNode mapping)
            throw Nowhere(path, steps[^1], at);
        mapping.Children.Remove(new YamlScalarNode(steps[^1]));
        if (value is not null)
            mapping.Add(new YamlScalarNode(steps[^1]), Parsed(path, value));
    }

    private static YamlNode? Into(YamlNode at, string step, bool make)
    {
        switch (at)
        {
            case YamlMappingNode mapping when mapping.Children.TryGetValue(new YamlScalarNode(step), out var found):
                return found;
            case YamlMappingNode mapping when make:
                var made = new YamlMappingNode();
                mapping.Add(new YamlScalarNode(step), made);
                return made;
            case YamlSequenceNode list when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index):
                return index < list.Children.Count ? list.Children[index] : null;
            case YamlSequenceNode list:
                return list.Children.OfType<YamlMappingNode>().FirstOrDefault(item =>
                    item.Children.TryGetValue(new YamlScalarNode("name"), out var name) && name is YamlScalarNode { Value: { } text } && text == step);
            default:
                return null;
        }
    }

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
            YamlSequenceNode list => Enumerable.Range(0, list.Children.Count).Select(index => index.ToString(CultureInfo.InvariantCulture)),
            _ => [],
        };
        return new Refusal("command line", $"--set {path}: there is no '{step}'", $"There: {string.Join(", ", known)}");
    }
}
