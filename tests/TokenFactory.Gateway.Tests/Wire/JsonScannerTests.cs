using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class JsonScannerTests
{
    [Fact]
    public void It_reads_token_by_token_what_the_runtime_reads_and_refuses_what_it_refuses() => Cases.Check(20_000, dice =>
    {
        var json = new RandomJson(dice);
        var bytes = Encoding.UTF8.GetBytes(json.Space() + json.Value(5) + json.Space());
        Compare(dice.Chance(0.3) ? bytes : WireFuzz.Mutated(dice, bytes));
    });

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("01")]
    [InlineData("-")]
    [InlineData("-0")]
    [InlineData("1.")]
    [InlineData("1.e5")]
    [InlineData("1e")]
    [InlineData("1e+05")]
    [InlineData("+1")]
    [InlineData(".5")]
    [InlineData("1x")]
    [InlineData("1 2")]
    [InlineData("truefalse")]
    [InlineData("nul")]
    [InlineData("[1,]")]
    [InlineData("[,1]")]
    [InlineData("{,}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\" \n:\t1 , \"b\":[ ] }")]
    [InlineData("{\"a\"}")]
    [InlineData("{\"a\",1}")]
    [InlineData("{1:1}")]
    [InlineData("[1}")]
    [InlineData("{]")]
    [InlineData("\"\u001f\"")]
    [InlineData("\"\\x\"")]
    [InlineData("\"\\u12g4\"")]
    [InlineData("\"\\u1234\"")]
    [InlineData("\"\\\"")]
    [InlineData("// x\n1")]
    [InlineData("\u00a01")]
    [InlineData("\uFEFF1")]
    public void Borders_of_the_grammar_are_where_the_runtime_draws_them(string json) => Compare(Encoding.UTF8.GetBytes(json));

    [Theory]
    [InlineData(JsonScanner.MostDepth, true)]
    [InlineData(JsonScanner.MostDepth + 1, false)]
    [InlineData(1_000_000, false)]
    public void Nesting_ends_somewhere(int depth, bool read)
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("[{\"a\":", depth / 2)) + (depth % 2 == 0 ? "" : "["));
        var scanner = new JsonScanner(bytes);
        while (scanner.Read())
            Assert.InRange(scanner.Depth, 0, JsonScanner.MostDepth);
        Assert.True(scanner.Failed);
        Assert.Equal(read, scanner.Consumed == bytes.Length);
    }

    private static void Compare(byte[] bytes)
    {
        var theirs = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = JsonScanner.MostDepth });
        var ours = new JsonScanner(bytes);
        bool fails;
        try
        {
            while (theirs.Read())
            {
                Assert.True(ours.Read(), $"{theirs.TokenType} at {theirs.TokenStartIndex} of {Encoding.UTF8.GetString(bytes)}");
                Assert.Equal(
                    (theirs.TokenType, theirs.TokenStartIndex, theirs.BytesConsumed, theirs.CurrentDepth),
                    (ours.TokenType, ours.TokenStart, ours.Consumed, ours.Depth));
                Assert.True(theirs.ValueSpan.SequenceEqual(ours.Value));
                if (theirs.TokenType != JsonTokenType.Number)
                    continue;
                Assert.Equal(theirs.TryGetInt64(out var whole) ? whole : null, ours.TryGetWhole(out var other) ? other : (long?)null);
                Assert.True(theirs.TryGetDouble(out var real) && ours.TryGetReal(out var same) && real.Equals(same));
            }

            fails = false;
        }
        catch (JsonException)
        {
            fails = true;
        }

        while (fails && ours.Read())
        {
            // it may come to the mistake a token later
        }

        Assert.False(ours.Read());
        Assert.True(fails == ours.Failed, Encoding.UTF8.GetString(bytes));
    }
}
