namespace TokenFactory.Cli.Tests.Articles;

/// <summary>A printed figure that does not follow from the other figures of its article.</summary>
/// <param name="Cell">Table, row and column.</param>
/// <param name="Ours">What the program computes, at the printed precision.</param>
/// <param name="Cause">Why, as far as the article tells.</param>
internal sealed record KnownDifference(string Cell, string Ours, string Cause);

/// <summary>Every difference between the articles and the program. docs/articles.md shows the same table.</summary>
internal static class KnownDifferences
{
    public static readonly KnownDifference[] All =
    [
        new("Architectures / H200 / HBM", "144 GB HBM3e", "two conventions in one column: the H200 has 144 GB installed and 141 usable, the B200 192 installed and 180 usable"),
        new("Table 2 / H100 / savings", "72%", "1 - 0.80/2.90 = 72.4 %; 1 - 0.11/0.40, from the rounded costs, is 72.5 % and rounds up"),
        new("Table 2 / B200 / savings", "77%", "1 - 1.71/7.43 = 77.0 %; 1 - 0.10/0.41, from the rounded costs, is 75.6 %"),
        new("Recommended billing / bursty", "reserved and on-demand", "the article gives one billing per load; the floor of a daily wave is always used, so reserving it pays"),
        new("Claim / best tok/s/W", "B200 SXM6 192GB", "the text prefers the H200, its own table has 4.14 for it and 5.00 for the B200"),
        new("Claim / spot discount, lowest", "72%", "a general range; the article's own prices give 72 to 77 %"),
        new("Claim / spot discount, highest", "77%", "a general range; the B200's spot price lies 77 % below on demand"),
        new("Claim / batching gain, lowest, first telling", "23x", "1,800/80 = 22.5, given as a round 20"),
        new("Claim / batching gain, lowest, second telling", "23x", "2,000/80 = 25 is not the lowest pair: 1,800/80 = 22.5"),
        new("Claim / H100s for a billion tokens a day", "6", "2,000 tok/s are 173 million tokens a day: 5.8 GPUs, always busy"),
        new("Claim / H200s for a billion tokens a day", "4", "2,900 tok/s are 251 million tokens a day: 4.0 GPUs, always busy"),
        new("DeepSeek-R1 / PFLOPS per dollar / GB300", "5.7", "15 PFLOPS dense FP4 / 2.65 = 5.66; cut instead of rounded it is 5.6"),
        new("DeepSeek-R1 / tok/s per GPU / ratio", "67x", "6,000/90 = 66.7; 65 fits throughputs of 93.3 and 6,061 tok/s, printed to one digit"),
        new("DeepSeek-R1 / tok/s per MW / ratio", "52x", "2.8M/54K = 51.9; their rounding leaves 50.5 to 53.3, and the text says more than 50x: a round figure"),
        new("DeepSeek-R1 / $/M / H200", "$4.35", "1.41/(90 x 3600) x 1e6 = 4.35; 4.20 fits 93.3 tok/s printed as 90, or 35 x the rounded 0.12"),
    ];
}
