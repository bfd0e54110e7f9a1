using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>The entries of catalog/models: each reads, agrees with what its publisher says, and survives being written.</summary>
public sealed class ModelCatalogTests
{
    private const double Tolerance = 0.02;

    public static TheoryData<string> Keys => new(ModelFiles.Keys);

    [Fact]
    public void Holds_at_least_35_models() => Assert.True(ModelFiles.Keys.Count >= 35, $"{ModelFiles.Keys.Count} models");

    [Theory]
    [MemberData(nameof(Keys))]
    public void Reads_without_a_mistake_and_is_named_after_its_file(string key) => Assert.Equal(key, ModelFiles.Entry(key).Key);

    [Theory]
    [MemberData(nameof(Keys))]
    public void Total_agrees_with_the_published_count(string key)
    {
        var model = ModelFiles.Entry(key);
        if (model.Published?.TotalParametersBillion is not { } published)
        {
            Assert.Contains(model.Notes, note => note.StartsWith("No published count", StringComparison.Ordinal));
            return;
        }

        AssertWithin(published.Value, model.TotalParameters / 1e9);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Active_agrees_with_the_published_count(string key)
    {
        var model = ModelFiles.Entry(key);
        if (!model.FeedForward.OfType<MixtureOfExperts>().Any())
        {
            Assert.Equal(model.TotalParameters, model.ActiveParameters);
            return;
        }

        if (model.Published is not { ActiveParametersBillion: { } published } counts)
        {
            Assert.Contains(model.Notes, note => note.StartsWith("No published active count", StringComparison.Ordinal));
            return;
        }

        AssertWithin(published.Value, model.ActiveParametersCounting(counts.ActiveCounts) / 1e9);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Is_the_same_after_it_was_written_and_read(string key)
    {
        var model = ModelFiles.Entry(key);
        var written = ModelWriter.Write(model);
        var again = ModelFiles.Read(written, out var mistakes);
        Assert.Empty(mistakes);
        Assert.NotNull(again);
        ModelFiles.AssertSameShape(model, again);
        Assert.Equal(model.Name, again.Name);
        Assert.Equal(model.Aliases, again.Aliases);
        Assert.Equal(model.Notes, again.Notes);
        Assert.Equal(model.From.Sources, again.From.Sources);
        Assert.Equal(model.Published?.ActiveCounts, again.Published?.ActiveCounts);
        AssertSame(model.Published?.TotalParametersBillion, again.Published?.TotalParametersBillion);
        AssertSame(model.Published?.ActiveParametersBillion, again.Published?.ActiveParametersBillion);
        AssertSame(model.MaxContextTokens, again.MaxContextTokens);
        Assert.Equal(written, ModelWriter.Write(again));
    }

    [Fact]
    public void No_two_models_share_a_name()
    {
        var bearers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var model in ModelFiles.Keys.Select(ModelFiles.Entry))
        {
            foreach (var name in model.Aliases.Prepend(model.Name).Prepend(model.Key))
            {
                var folded = Names.Fold(name);
                Assert.True(bearers.TryAdd(folded, model.Key) || bearers[folded] == model.Key, $"'{name}' is a name of {model.Key} and of {bearers[folded]}");
            }
        }
    }

    private static void AssertWithin(double published, double computed) =>
        Assert.True(Math.Abs((computed / published) - 1) <= Tolerance, $"computed {computed:F3} billion, published {published} billion");

    private static void AssertSame(Sourced<double>? expected, Sourced<double>? actual)
    {
        Assert.Equal(expected?.Value, actual?.Value);
        Assert.Equal(expected?.Note, actual?.Note);
        Assert.Equal(expected?.From.Sources[0], actual?.From.Sources[0]);
    }
}

/// <summary>Finds and reads the files that the model tests are about.</summary>
internal static class ModelFiles
{
    private static readonly Source FixtureSource = new(SourceKind.Datasheet, "a fixture of these tests", SourceDate.Parse("2026-11")!);

    public static IReadOnlyList<string> Keys { get; } =
        [.. Directory.GetFiles(Repository.Path("catalog", "models"), "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    public static ModelShape Entry(string key)
    {
        var model = Read(File.ReadAllText(Repository.Path("catalog", "models", key + ".json")), out var mistakes);
        Assert.Empty(mistakes);
        Assert.NotNull(model);
        return model;
    }

    public static ModelShape? Read(string text, out List<Mistake> mistakes)
    {
        mistakes = [];
        return EntryReader.Open(new CatalogFile("models/test.json", text), mistakes) is { } entry ? ModelReader.Read(entry) : null;
    }

    public static string FixtureText(string name) => File.ReadAllText(Repository.Path("tests", "data", "hf-configs", name + ".json"));

    public static HuggingFaceReading ReadConfig(string json) => HuggingFaceConfig.Read(json, "config.json", FixtureSource);

    public static ModelShape Fixture(string name)
    {
        var reading = ReadConfig(FixtureText(name));
        Assert.Empty(reading.Mistakes);
        Assert.NotNull(reading.Model);
        return reading.Model;
    }

    public static void AssertSameShape(ModelShape expected, ModelShape actual)
    {
        Assert.Equal(expected.Attention, actual.Attention);
        Assert.Equal(expected.FeedForward, actual.FeedForward);
        Assert.Equal(expected.Layers, actual.Layers);
        Assert.Equal(expected.HiddenSize.Value, actual.HiddenSize.Value);
        Assert.Equal(expected.Vocabulary.Value, actual.Vocabulary.Value);
        Assert.Equal(expected.TiedEmbeddings, actual.TiedEmbeddings);
        Assert.Equal(expected.PostNorms, actual.PostNorms);
        Assert.Equal(expected.ResidualStreams, actual.ResidualStreams);
        Assert.Equal(expected.TotalParameters, actual.TotalParameters);
        Assert.Equal(expected.ActiveParameters, actual.ActiveParameters);
    }
}
