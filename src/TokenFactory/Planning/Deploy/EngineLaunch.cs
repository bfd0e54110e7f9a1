namespace TokenFactory.Planning.Deploy;

/// <summary>How the engine of a replica is started: the command line, what else it reads, and how to tell that it lives.</summary>
public sealed record EngineLaunch
{
    /// <summary>Port on which every engine listens.</summary>
    public const int Port = 8000;

    /// <summary>Expression for the address of a replica's first node, where it has several.</summary>
    public const string LeaderAddress = "\"$LEADER_ADDRESS\"";

    /// <summary>Expression for the number of a node among those of its replica, from 0.</summary>
    public const string NodeRank = "\"$NODE_RANK\"";

    /// <summary>The program and its command, "vllm serve".</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>The words after it.</summary>
    public required IReadOnlyList<Word> Words { get; init; }

    /// <summary>Words that nodes other than the first add; empty where all start alike.</summary>
    public IReadOnlyList<Word> WorkerWords { get; init; } = [];

    /// <summary>A shell script that nodes other than the first run instead; null for the same command.</summary>
    public string? WorkerScript { get; init; }

    /// <summary>The configuration file that a word names; null for none.</summary>
    public DocMap? Configuration { get; init; }

    /// <summary>Variables of the environment.</summary>
    public IReadOnlyList<(string Name, string Value)> Environment { get; init; } = [];

    /// <summary>A variable that takes the address at which others reach the replica; null for none.</summary>
    public string? AddressVariable { get; init; }

    /// <summary>Ports that other replicas reach, beside <see cref="Port"/>.</summary>
    public IReadOnlyList<(string Name, int Port)> Ports { get; init; } = [];

    /// <summary>Answers 200 once the engine takes requests.</summary>
    public string HealthPath { get; init; } = "/health";

    /// <summary>Shows its metrics to Prometheus.</summary>
    public string MetricsPath { get; init; } = "/metrics";

    /// <summary>The name of the served model that clients of the engine give.</summary>
    public required string ServedName { get; init; }

    /// <summary>What the reader should know: what the engine cannot be told, and what must be provided.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Flags and keys that the design asks for and the release does not take; they are left out of the command.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];
}

/// <summary>A command line in the making, held against the flags of a release.</summary>
/// <param name="release">The release.</param>
internal sealed class CommandLine(TokenFactory.Catalog.EngineRelease release)
{
    private readonly List<Word> _words = [];
    private readonly List<string> _unknown = [];

    /// <summary>The words so far.</summary>
    public IReadOnlyList<Word> Words => _words;

    /// <summary>Flags that the release does not take, and so are left out.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <summary>A word without a flag.</summary>
    public CommandLine Plain(string text)
    {
        _words.Add(new Word(text));
        return this;
    }

    /// <summary>A flag with a text.</summary>
    public CommandLine Value(string flag, string value) => Add(flag, new Word(value));

    /// <summary>A flag with a number.</summary>
    public CommandLine Value(string flag, long value) =>
        Add(flag, new Word(value.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>A flag with a share, in four decimals at most, rounded down: a little more memory could be too much.</summary>
    public CommandLine Share(string flag, double value) => Add(flag, new Word(Rounded(value)));

    /// <summary>A flag with what a shell computes.</summary>
    public CommandLine Computed(string flag, string expression) => Add(flag, new Word(expression, Computed: true));

    /// <summary>A flag without a value.</summary>
    public CommandLine Switch(string flag, bool wanted = true)
    {
        if (wanted && release.Takes(flag, valued: false))
            _words.Add(new Word(flag));
        else if (wanted)
            _unknown.Add(flag);
        return this;
    }

    /// <summary>Checks the keys of a configuration file, those of mappings inside included.</summary>
    public CommandLine Keys(DocMap configuration)
    {
        foreach (var (key, value, _) in configuration)
        {
            Key(key);
            foreach (var inner in (value as DocMap)?.Select(entry => entry.Key) ?? [])
                Key($"{key}.{inner}");
        }

        return this;

        void Key(string key)
        {
            if (!release.Configuration.Contains(key))
                _unknown.Add(key);
        }
    }

    /// <summary>A share as flags and files take it.</summary>
    public static string Rounded(double value) =>
        (Math.Floor(value * 1e4) / 1e4).ToString("0.####", System.Globalization.CultureInfo.InvariantCulture);

    private CommandLine Add(string flag, Word value)
    {
        if (release.Takes(flag, valued: true))
            _words.AddRange([new Word(flag), value]);
        else
            _unknown.Add(flag);
        return this;
    }
}
