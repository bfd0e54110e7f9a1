using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Planning.Deploy;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace TokenFactory.Cli.Input;

/// <summary>
/// One mapping of settings, from a YAML file or from flags, read by key; every mistake is gathered with its line.
/// Keys carry their unit, so a bare "watts" or "price" is answered with the key that was meant.
/// </summary>
internal sealed class Settings
{
    private readonly YamlMappingNode _node;
    private readonly string _file;
    /// <summary>Words that people write where the key with its unit is meant.</summary>
    private static readonly Dictionary<string, string[]> Meant = new(StringComparer.Ordinal)
    {
        ["throughput"] = ["tokens_per_second_per_gpu"],
        ["price"] = ["usd_per_gpu_hour", "usd_per_million_tokens"],
        ["cost"] = ["usd_per_gpu_hour"],
        ["power"] = ["watts_per_gpu", "it_watts_per_gpu", "mw"],
        ["tdp"] = ["watts_per_gpu"],
        ["electricity"] = ["usd_per_kwh"],
        ["carbon"] = ["carbon_g_per_kwh"],
        ["speed"] = ["minimum_tokens_per_second_per_user"],
        ["restart"] = ["restart_minutes"],
        ["checkpoint"] = ["checkpoint_seconds"],
        ["megawatts"] = ["mw"],
        ["users"] = ["concurrency"],
        ["clients"] = ["concurrency"],
        ["batch"] = ["concurrency"],
        ["qps"] = ["requests_per_second"],
        ["rate"] = ["requests_per_second"],
        ["quantisation"] = ["precision"],
        ["quantization"] = ["precision"],
    };

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<YamlNode, Settings> _inner = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, string> _filled = new(StringComparer.Ordinal);
    private readonly Func<string, string> _spell;

    private readonly IReadOnlySet<YamlNode> _set;

    private Settings(
        YamlMappingNode node,
        string file,
        List<Mistake> mistakes,
        Func<string, string> spell,
        IReadOnlySet<YamlNode>? set = null)
    {
        (_node, _file, Mistakes, _spell) = (node, file, mistakes, spell);
        _set = set ?? new HashSet<YamlNode>();
    }

    public List<Mistake> Mistakes { get; }

    /// <summary>The file, or "command line".</summary>
    public string Name => _file;

    /// <summary>The place of this mapping, "file:line".</summary>
    public string Where => At(_node);

    /// <summary>The place of a key, "file:line"; of the mapping where the key is absent.</summary>
    public string WhereIs(string key) => Has(key) ? At(KeyNode(key)) : Where;

    /// <summary>Reads a YAML file of settings.</summary>
    /// <exception cref="Refusal">The file cannot be read, or is not one YAML mapping.</exception>
    /// <param name="path">The file.</param>
    /// <param name="changes">Keys to set first, by path ("pools.0.replicas", "pools.h100.tp"); a null value takes a key away.</param>
    public static Settings OfFile(string path, IReadOnlyList<(string Path, string? Value)>? changes = null)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(Files.Text(path)));
        }
        catch (YamlException bad)
        {
            var what = $"not YAML: {(bad.InnerException?.Message ?? bad.Message).TrimEnd('.')}";
            throw new Refusal($"{path}:{bad.Start.Line}", what, "Mend the syntax near this line");
        }
        catch (InvalidOperationException)
        {
            throw new Refusal(path, "not YAML", "Mend the syntax: a bracket or a quote may lack its end"); // the reader lost its way
        }

        if (yaml.Documents.Count == 1 && yaml.Documents[0].RootNode is YamlMappingNode root)
        {
            var set = new HashSet<YamlNode>(ReferenceEqualityComparer.Instance);
            foreach (var (key, value) in changes ?? [])
                set.UnionWith(YamlPath.Set(root, key, value));
            return new Settings(root, path, [], key => $"'{key}'", set);
        }

        throw new Refusal(path, "is not one YAML mapping", "Write 'key: value' lines; see examples/");
    }

    /// <summary>The flags of a command line as settings: "--tokens-per-second 5" is the key tokens_per_second.</summary>
    /// <param name="flags">Keys and what was given for them.</param>
    /// <param name="spell">How a key is written; null for its plain name.</param>
    public static Settings OfFlags(IEnumerable<(string Key, IReadOnlyList<string> Values)> flags, Func<string, string>? spell = null)
    {
        var node = new YamlMappingNode();
        foreach (var (key, values) in flags.Where(flag => flag.Values.Count > 0))
        {
            node.Add(
                key,
                values.Count == 1 ? new YamlScalarNode(values[0]) : new YamlSequenceNode(values.Select(v => new YamlScalarNode(v))));
        }

        return new Settings(node, "command line", [], spell ?? (key => "--" + key.Replace('_', '-')));
    }

    public bool Has(string key)
    {
        _known.Add(key);
        return _node.Children.ContainsKey(new YamlScalarNode(key));
    }

    /// <summary>Gives a key that is absent the value that another key implies: mistakes about it are told at that key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="from">The key that implies it.</param>
    public void Fill(string key, string value, string from)
    {
        _node.Add(key, new YamlScalarNode(value));
        _filled[key] = from;
    }

    /// <summary>A key as the user writes it.</summary>
    public string Spell(string key) => _spell(key);

    /// <summary>Whether a key has its value from another one.</summary>
    public bool IsFilled(string key) => _filled.ContainsKey(key);

    public string? Text(string key)
    {
        if (!Has(key))
            return null;
        if (Value(key) is YamlScalarNode { Value: { Length: > 0 } text })
            return text;
        Note(key, "is not a text", "Give one value");
        return null;
    }

    /// <summary>A copy of what stands under a key, to be written elsewhere; null where the key is absent.</summary>
    public Doc? Copy(string key) => Has(key) ? YamlDocs.Of(Value(key)) : null;

    /// <summary>One text or a list of them; empty where the key is absent.</summary>
    public IReadOnlyList<string> Texts(string key)
    {
        if (!Has(key))
            return [];
        if (Value(key) is YamlSequenceNode list && list.All(item => item is YamlScalarNode { Value.Length: > 0 }))
            return [.. list.Select(item => ((YamlScalarNode)item).Value!)];
        return Text(key) is { } one ? [one] : [];
    }

    /// <summary>A number within bounds, or null where the key is absent or wrong. "60%" is 0.6.</summary>
    public double? Number(string key, double atLeast = double.Epsilon, double atMost = CsvRow.Largest)
    {
        if (Text(key) is not { } text)
            return null;
        var percent = text.EndsWith('%');
        var digits = percent ? text[..^1] : text;
        if (!double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
        {
            Note(key, $"is '{text}'", "Give a plain number: the unit is in the key");
            return null;
        }

        number = percent ? number / 100 : number;
        if (number >= atLeast && number <= atMost)
            return number;
        var bounds = atMost < CsvRow.Largest || number > atMost
            ? $"Give a number from {Plain(atLeast)} to {Plain(atMost)}"
            : atLeast is > 0 and < 1e-300 ? "Give a number above zero" : $"Give a number of {Plain(atLeast)} or more";
        Note(key, $"is {text}", bounds);
        return null;

        static string Plain(double bound) => bound is > 0 and < 1e-300 ? "above 0" : bound.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A whole number within bounds, or null where the key is absent or wrong.</summary>
    public int? Whole(string key, int atLeast, int atMost = int.MaxValue)
    {
        if (Number(key, atLeast, atMost) is not { } number)
            return null;
        if (number == Math.Floor(number))
            return (int)number;
        Note(key, $"is {number.ToString(CultureInfo.InvariantCulture)}", "Give a whole number");
        return null;
    }

    /// <summary>The mappings of a list; empty where the key is absent.</summary>
    public IReadOnlyList<Settings> Items(string key)
    {
        if (!Has(key))
            return [];
        if (Value(key) is YamlSequenceNode { Children.Count: > 0 } list && list.All(item => item is YamlMappingNode))
            return [.. list.Select(item => Inner((YamlMappingNode)item))];
        Note(key, "is not a list of settings", "Write one '- key: value' entry or more under it");
        return [];
    }

    /// <summary>The mapping under a key; null where the key is absent.</summary>
    public Settings? Item(string key)
    {
        if (!Has(key))
            return null;
        if (Value(key) is YamlMappingNode mapping)
            return Inner(mapping);
        Note(key, "is not a mapping", "Write 'key: value' lines under it");
        return null;
    }

    /// <summary>Whether a key has the same value here and there, or none.</summary>
    public bool Agrees(Settings other, string key) =>
        Has(key) ? other.Has(key) && Value(key).Equals(other.Value(key)) : !other.Has(key);

    /// <summary>Whether the value under a key is a mapping rather than one value.</summary>
    public bool IsItem(string key) => Has(key) && Value(key) is YamlMappingNode;

    /// <summary>Whether the value under a key is a list of mappings rather than one value.</summary>
    public bool IsList(string key) => Has(key) && Value(key) is YamlSequenceNode list && list.Any(item => item is YamlMappingNode);

    /// <summary>The keys of this mapping, in file order.</summary>
    public IEnumerable<string> Keys() => _node.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value!);

    /// <summary>Notes a required key that is absent.</summary>
    public void Require(string key, string remedy)
    {
        if (!Has(key))
            Mistakes.Add(new Mistake(Where, $"{_spell(key)} is missing", remedy));
    }

    /// <summary>Notes a mistake about a key, at its line.</summary>
    public void Note(string key, string what, string remedy) =>
        Mistakes.Add(new Mistake(Has(key) ? At(KeyNode(key)) : Where, $"{_spell(key)} {what}", remedy));

    /// <summary>Notes two keys that exclude each other.</summary>
    public void Exclude(string key, string other, string remedy)
    {
        if (Has(key) && Has(other))
            Note(key, $"contradicts {_spell(other)}", remedy);
    }

    /// <summary>Notes every key that nobody asked for, here and in the mappings inside, with its line and the key that was meant.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (var key in _node.Children.Keys.Where(key => key is not YamlScalarNode { Value: { } name } || !_known.Contains(name)))
        {
            var name = (key as YamlScalarNode)?.Value ?? key.ToString();
            var remedy = MeantBy(name) is { } meant
                ? $"Did you mean '{meant}'? Keys carry their unit"
                : $"Known here: {string.Join(", ", _known.Order(StringComparer.Ordinal))}";
            var isFlag = _file == "command line";
            var what = isFlag ? $"{_spell(name)} means nothing beside the other flags" : $"unknown key '{name}'";
            Mistakes.Add(new Mistake(At(key), what, isFlag ? "Leave it out" : remedy));
        }

        foreach (var inner in _inner.Values)
            inner.RefuseUnknownKeys();
    }

    private string? MeantBy(string name)
    {
        var word = name.Split('_')[0];
        return Meant.GetValueOrDefault(word)?.FirstOrDefault(_known.Contains)
            ?? _known.Where(known => known.Split('_')[0] == word).Order(StringComparer.Ordinal).FirstOrDefault()
            ?? Names.Nearest(name, _known);
    }

    private Settings Inner(YamlMappingNode node)
    {
        if (!_inner.TryGetValue(node, out var inner))
            _inner.Add(node, inner = new Settings(node, _file, Mistakes, _spell, _set));
        return inner;
    }

    private YamlNode Value(string key) => _node.Children[new YamlScalarNode(key)];

    private YamlNode KeyNode(string key) => _node.Children.Keys.First(
        node => node is YamlScalarNode { Value: { } name } && name == _filled.GetValueOrDefault(key, key));

    /// <summary>The place of a node: that of one that --set put there is not in the file.</summary>
    private string At(YamlNode node) =>
        _set.Contains(node) ? $"{_file} with --set"
        : node.Start.Line > 0 && _file != "command line" ? $"{_file}:{node.Start.Line}"
        : _file;
}
