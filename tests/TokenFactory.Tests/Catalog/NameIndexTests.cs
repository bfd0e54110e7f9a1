using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>Names are found however they are written, and near ones are offered.</summary>
public sealed class NameIndexTests
{
    private readonly NameIndex<string> _index = new();
    private readonly string _h100 = "the H100";
    private readonly string _h200 = "the H200";

    public NameIndexTests()
    {
        Assert.Null(_index.Add("h100-sxm", _h100, "h100-sxm"));
        Assert.Null(_index.Add("NVIDIA H100 SXM5 80GB", _h100, "h100-sxm"));
        Assert.Null(_index.Add("h200-sxm", _h200, "h200-sxm"));
        Assert.Null(_index.Add("b200", "the B200", "b200"));
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("H100 SXM")]
    [InlineData("h100_sxm")]
    [InlineData(" H100SXM ")]
    [InlineData("nvidia/h100-sxm5-80gb")]
    public void Case_spaces_and_punctuation_do_not_count(string name) => Assert.Same(_h100, _index.Find(name));

    [Theory]
    [InlineData("h100")]
    [InlineData("")]
    [InlineData("h100-sxm-40gb")]
    public void Other_names_are_not_found(string name) => Assert.Null(_index.Find(name));

    [Fact]
    public void A_name_stays_with_its_first_bearer()
    {
        Assert.Same(_h100, _index.Add("H100-SXM", _h200, "h200-sxm"));
        Assert.Same(_h100, _index.Find("h100-sxm"));
        Assert.Null(_index.Add("H100 SXM", _h100, "h100-sxm")); // its own name again
    }

    [Fact]
    public void The_nearest_comes_first_and_each_once()
    {
        Assert.Equal("h100-sxm", _index.Nearest("h100-smx")[0]);
        Assert.Equal("h100-sxm", _index.Nearest("h100")[0]);
        Assert.Equal(_index.Nearest("h300-sxm").Distinct(), _index.Nearest("h300-sxm"));
    }

    [Fact]
    public void Nothing_is_offered_where_nothing_is_near() => Assert.Empty(_index.Nearest("abacus"));

    [Fact]
    public void At_most_three_are_offered()
    {
        var many = new NameIndex<string>();
        for (var i = 0; i < 9; i++)
            many.Add($"gpu-{i}", $"gpu {i}", $"gpu-{i}");
        Assert.Equal(["gpu-0", "gpu-1", "gpu-2"], many.Nearest("gpu-x"));
    }

    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("same", "same", 1)]
    [InlineData("h100", "h100sxm80gb", 1)]
    [InlineData("memory_gb", "memroy_gb", 2)]
    public void Distance_counts_edits_and_favours_containment(string left, string right, int distance) =>
        Assert.Equal(distance, Names.Distance(left, right));

    [Fact]
    public void A_misspelt_key_has_a_nearest_or_none()
    {
        Assert.Equal("memory_gb", Names.Nearest("memroy_gb", ["tdp_w", "memory_gb"]));
        Assert.Null(Names.Nearest("colour", ["tdp_w", "memory_gb"]));
        Assert.Null(Names.Nearest("tdp_w", []));
    }
}
