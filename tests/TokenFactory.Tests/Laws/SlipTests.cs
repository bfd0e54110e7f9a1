using System.Reflection;
using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>Slips that once passed or crashed, and must not come back.</summary>
public sealed class SlipTests
{
    [Fact]
    public void No_record_prints_itself_inside_itself() => Assert.Empty(
        from type in typeof(Watts).Assembly.GetTypes()
        let print = type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        let text = type.GetMethod("ToString", BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly, Type.EmptyTypes)
        where print is not null && text?.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is not null
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.PropertyType == type
        select $"{type.Name}.{property.Name}");

    [Fact]
    public void Prefill_only_pays_the_whole_price()
    {
        var streams = new TokenStreams(new TokensPerSecond(1000), default, default);
        var split = TokenCost.Split(new UsdPerHour(3.6), streams, new Fraction(0.5), new Fraction(0.1));
        Nearly.Equal(3.6, (streams.FreshInput * split.FreshInput).Value);
    }

    [Theory]
    [InlineData("9999", "9999-12-31")]
    [InlineData("9999-12", "9999-12-31")]
    public void The_last_year_is_a_date(string text, string latest) => Assert.Equal(DateOnly.Parse(latest), SourceDate.Parse(text)!.Latest);

    [Theory]
    [InlineData("{ \"tdp_w\": 1, \"tdp_w\": 2 }")]
    [InlineData("{ \"sources\": { \"s\": { \"source\": \"x\", \"date\": \"2026\", \"kind\": \"measured\" }, \"s\": { \"source\": \"y\", \"date\": \"2026\", \"kind\": \"measured\" } } }")]
    public void A_key_that_stands_twice_is_a_mistake(string text)
    {
        var mistakes = new List<Mistake>();
        EntryReader.Open(new CatalogFile("a.json", text), mistakes);
        Assert.Equal("a key stands twice in one object", Assert.Single(mistakes).What);
    }

    [Theory]
    [InlineData("1.5", "")]
    [InlineData("1e12", "")]
    [InlineData("1", "yes")]
    public void A_sheet_s_whole_numbers_and_flags_are_checked(string gpus, string suspect)
    {
        var names = new NameIndex<Accelerator>();
        names.Add("h100", new Accelerator { Key = "h100", Name = "h", Aliases = [], Vendor = "v", Architecture = "a" }, "h100");
        var mistakes = new List<Mistake>();
        var sheet = $"provider,gpu,billing,usd_per_gpu_hour,date,kind,source,gpus_per_instance,suspect\nA,h100,spot,1,2026,measured,x,{gpus},{suspect}\n";
        PriceSheet.Read(new CatalogFile("p.csv", sheet), names, mistakes);
        Assert.NotEmpty(mistakes);
    }
}
