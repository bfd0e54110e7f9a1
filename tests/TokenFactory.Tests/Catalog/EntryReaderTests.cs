using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>What an entry of the catalog may look like, and how each mistake in it is told.</summary>
public sealed class EntryReaderTests
{
    private const string Sources = "\"sources\": { \"spec\": { \"source\": \"a data sheet\", \"date\": \"2026-08\", \"kind\": \"datasheet\" } }";

    [Fact]
    public void A_number_takes_its_own_source_or_the_nearest_around_it()
    {
        var entry = Open("""
            { "from": "bench", "plain": 1, "own": { "value": 2, "from": "spec", "note": "rounded" }, "inner": { "deep": { "deeper": 3 }, "from": "spec" },
              "sources": { "spec": { "source": "a data sheet", "date": "2026-08", "kind": "datasheet" }, "bench": { "source": "a bench", "date": "2026", "kind": "measured" } } }
            """, out var mistakes);
        Assert.Equal((1.0, "a bench", null), Told(entry!.Number("plain")));
        Assert.Equal((2.0, "a data sheet", "rounded"), Told(entry.Number("own")));
        Assert.Equal((3.0, "a data sheet", null), Told(entry.Object("inner")!.Object("deep")!.Number("deeper")));
        Assert.Empty(mistakes);

        static (double, string, string?) Told(Sourced<double> number) => (number.Value, number.From.Sources.Single().Text, number.Note);
    }

    [Theory]
    [InlineData("\"tdp_w\": 700", "'tdp_w' has no source")]
    [InlineData("\"tdp_w\": { \"value\": 700 }", "'tdp_w' has no source")]
    [InlineData("\"tdp_w\": { \"value\": 700, \"from\": \"spek\" }", "'tdp_w' comes from 'spek', which 'sources' does not declare")]
    [InlineData("\"tdp_w\": \"700\", \"from\": \"spec\"", "'tdp_w' is not a number")]
    [InlineData("\"tdp_w\": { \"vlaue\": 700, \"from\": \"spec\" }", "'tdp_w' is not a number")]
    [InlineData("\"tdp_w\": { \"value\": true, \"from\": \"spec\" }", "'tdp_w' is not a number")]
    [InlineData("\"tdp_w\": null, \"from\": \"spec\"", "'tdp_w' is not a number")]
    [InlineData("\"tdp_w\": 0, \"from\": \"spec\"", "'tdp_w' is 0")]
    [InlineData("\"tdp_w\": -700, \"from\": \"spec\"", "'tdp_w' is -700")]
    [InlineData("\"tdp_w\": 1e999, \"from\": \"spec\"", "'tdp_w' is Infinity")]
    [InlineData("\"tdp\": 700, \"from\": \"spec\"", "'tdp_w' is missing")]
    public void A_number_that_cannot_be_trusted_is_one_mistake(string member, string what)
    {
        var entry = Open($"{{ {member}, {Sources} }}", out var mistakes);
        var number = entry!.Number("tdp_w");
        Assert.Equal(what, Assert.Single(mistakes).What);
        Assert.Equal("accelerators/test.json", mistakes[0].Where);
        Assert.True(number.Value > 0); // a stand-in that computes, so that the other mistakes are found too
    }

    [Fact]
    public void Zero_is_allowed_where_it_means_something()
    {
        var entry = Open($"{{ \"from\": \"spec\", \"network_w\": 0, \"low_w\": -1, {Sources} }}", out var mistakes);
        Assert.Equal(0, entry!.Number("network_w", 0).Value);
        Assert.Empty(mistakes);
        Assert.Null(entry.NumberOrNone("low_w", 0));
        Assert.Equal("accelerators/test.json: 'low_w' is -1. Give a number of zero or more.", Assert.Single(mistakes).ToString());
    }

    [Fact]
    public void An_absent_number_that_may_be_absent_is_no_mistake()
    {
        var entry = Open($"{{ {Sources} }}", out var mistakes);
        Assert.Null(entry!.NumberOrNone("tdp_w"));
        Assert.Null(entry.TextOrNone("name"));
        Assert.Null(entry.Object("chassis"));
        Assert.Empty(entry.Objects("points"));
        Assert.Empty(entry.Texts("aliases"));
        Assert.True(entry.Flag("gated", absent: true));
        Assert.Empty(mistakes);
    }

    [Theory]
    [InlineData("\"name\": 5", "'name' is 5")]
    [InlineData("\"aliases\": \"one\"", "'aliases' is not a list of texts")]
    [InlineData("\"aliases\": [\"one\", 2]", "'aliases' is not a list of texts")]
    [InlineData("\"gated\": \"yes\"", "'gated' is \"yes\"")]
    [InlineData("\"points\": { }", "'points' is not a list of objects")]
    [InlineData("\"points\": [1]", "'points' is not a list of objects")]
    [InlineData("\"chassis\": [1]", "'chassis' is not an object")]
    public void A_value_of_the_wrong_type_is_one_mistake(string member, string what)
    {
        var entry = Open($"{{ {member} }}", out var mistakes)!;
        entry.TextOrNone("name");
        entry.Texts("aliases");
        entry.Flag("gated");
        entry.Objects("points");
        entry.Object("chassis");
        Assert.Equal(what, Assert.Single(mistakes).What);
    }

    [Theory]
    [InlineData("[[0.1, 0.9], [1, 0.95]]", null)]
    [InlineData("[]", "'curve' is not a list of pairs")]
    [InlineData("[[0.1, 0.9], [1]]", "'curve' is not a list of pairs")]
    [InlineData("[[0.1, \"0.9\"]]", "'curve' is not a list of pairs")]
    [InlineData("0.9", "'curve' is not a list of pairs")]
    public void A_curve_is_a_list_of_pairs(string curve, string? what)
    {
        var entry = Open($"{{ \"from\": \"spec\", \"curve\": {curve}, {Sources} }}", out var mistakes);
        var pairs = entry!.Pairs("curve");
        Assert.Equal(what, mistakes.SingleOrDefault()?.What);
        Assert.Equal(what is null ? [[0.1, 0.9], [1, 0.95]] : [], pairs);
    }

    [Fact]
    public void An_unknown_key_is_refused_with_the_nearest_one()
    {
        var entry = Open($"{{ \"from\": \"spec\", \"note\": \"fine\", \"tdp_watts\": 700, \"colour\": \"green\", {Sources} }}", out var mistakes);
        entry!.NumberOrNone("tdp_w");
        entry.RefuseUnknownKeys();
        Assert.Equal(
            ["accelerators/test.json: unknown key 'tdp_watts'. Did you mean 'tdp_w'?", "accelerators/test.json: unknown key 'colour'. Remove it."],
            mistakes.Select(mistake => mistake.ToString()));
    }

    [Fact]
    public void A_mistake_inside_says_where_inside()
    {
        var entry = Open("{ \"points\": [{}, { \"chassis\": { \"gpus\": 8 } }] }", out var mistakes);
        entry!.Objects("points")[1].Object("chassis")!.Number("gpus");
        Assert.Equal("accelerators/test.json: points[1]: chassis", Assert.Single(mistakes).Where);
    }

    [Theory]
    [InlineData("{ \"source\": \"x\", \"date\": \"2026-08\" }")]
    [InlineData("{ \"source\": \"x\", \"date\": \"soon\", \"kind\": \"measured\" }")]
    [InlineData("{ \"source\": \"x\", \"date\": \"2026-08\", \"kind\": \"Measured!\" }")]
    [InlineData("{ \"source\": \"\", \"date\": \"2026-08\", \"kind\": \"measured\" }")]
    [InlineData("\"a data sheet\"")]
    public void A_source_without_who_when_and_how_is_incomplete(string source)
    {
        Open($"{{ \"sources\": {{ \"spec\": {source} }} }}", out var mistakes);
        Assert.Equal("source 'spec' is incomplete", Assert.Single(mistakes).What);
    }

    [Theory]
    [InlineData("{\n  \"key\": \"test\",\n  oops\n}", "accelerators/test.json:3", "not JSON")]
    [InlineData("", "accelerators/test.json:1", "not JSON")]
    [InlineData("[1]", "accelerators/test.json", "holds a JSON Array")]
    public void What_is_no_object_is_refused_with_its_line(string text, string where, string what)
    {
        Assert.Null(Open(text, out var mistakes));
        Assert.Equal((where, what), (Assert.Single(mistakes).Where, mistakes[0].What));
    }

    [Fact]
    public void Comments_and_trailing_commas_are_forgiven()
    {
        Assert.NotNull(Open("{ // by hand\n \"key\": \"test\", }", out var mistakes));
        Assert.Empty(mistakes);
    }

    [Fact]
    public void Every_number_is_found_wherever_it_hides()
    {
        var numbers = EntryNumbers.Of(new CatalogFile("accelerators/test.json", $$"""
            { "tdp_w": { "value": 700, "from": "spec", "note": "rounded" }, "bare": 1, "inner": { "from": "spec", "curve": [[0.1, 0.9]], "other": { "from": "gone", "deep": 2 } },
              {{Sources}} }
            """));
        Assert.Equal(
            [("tdp_w", 700, "a data sheet", "rounded"), ("bare", 1, null, null), ("inner.curve[0][0]", 0.1, "a data sheet", null),
                ("inner.curve[0][1]", 0.9, "a data sheet", null), ("inner.other.deep", 2, null, null)],
            numbers.Select(number => (number.Path, number.Value, number.From?.Text, number.Note)));
    }

    private static EntryReader? Open(string text, out List<Mistake> mistakes)
    {
        mistakes = [];
        return EntryReader.Open(new CatalogFile("accelerators/test.json", text), mistakes);
    }
}
