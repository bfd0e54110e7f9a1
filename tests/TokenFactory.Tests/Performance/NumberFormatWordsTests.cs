using TokenFactory.Performance;

namespace TokenFactory.Tests.Performance;

/// <summary>Formats as people, checkpoints and benchmarks write them.</summary>
public sealed class NumberFormatWordsTests
{
    [Theory]
    [InlineData("fp32", NumberFormat.Fp32)]
    [InlineData("float32", NumberFormat.Fp32)]
    [InlineData("bf16", NumberFormat.Bf16)]
    [InlineData("FP16", NumberFormat.Bf16)]
    [InlineData("bfloat16", NumberFormat.Bf16)]
    [InlineData("float16", NumberFormat.Bf16)]
    [InlineData("bf16/fp16", NumberFormat.Bf16)]
    [InlineData("half", NumberFormat.Bf16)]
    [InlineData(" FP8 ", NumberFormat.Fp8)]
    [InlineData("e4m3", NumberFormat.Fp8)]
    [InlineData("fp8-block", NumberFormat.Fp8Block)]
    [InlineData("FP8_BLOCK", NumberFormat.Fp8Block)]
    [InlineData("W8A8", NumberFormat.Int8)]
    [InlineData("AWQ", NumberFormat.Int4)]
    [InlineData("GPTQ", NumberFormat.Int4)]
    [InlineData("W4A16", NumberFormat.Int4)]
    [InlineData("MXFP4", NumberFormat.Mxfp4)]
    [InlineData("NVFP4", NumberFormat.Nvfp4)]
    [InlineData("fp4", NumberFormat.Nvfp4)]
    public void Words_of_people_are_read(string word, NumberFormat format) => Assert.Equal(format, NumberFormatWords.Parse(word));

    [Theory]
    [InlineData("")]
    [InlineData("fp")]
    [InlineData("fp7")]
    [InlineData("16")]
    [InlineData("bf 16")]
    public void Other_words_are_no_format(string word) => Assert.Null(NumberFormatWords.Parse(word));

    [Fact]
    public void Four_bits_of_floating_point_mean_what_the_vendor_builds()
    {
        Assert.Equal(NumberFormat.Nvfp4, NumberFormatWords.Parse("fp4", Serving.Gpu("b200")));
        Assert.Equal(NumberFormat.Mxfp4, NumberFormatWords.Parse("fp4", Serving.Gpu("mi355x")));
        Assert.Equal(NumberFormat.Mxfp4, NumberFormatWords.Parse("mxfp4", Serving.Gpu("b200")));
    }

    [Fact]
    public void Every_format_reads_what_it_writes_and_its_word_is_among_all_words()
    {
        foreach (var format in Enum.GetValues<NumberFormat>())
        {
            Assert.Equal(format, NumberFormatWords.Parse(format.Word()));
            Assert.Contains(format.Word(), NumberFormatWords.Words.Split(", "));
            Assert.Equal(format.BytesPerWeight() < 1, format.IsFourBit());
            Assert.InRange(format.BytesPerCacheElement(), 1, 4);
        }
    }
}
