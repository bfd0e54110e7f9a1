using System.Buffers;
using System.Text;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class StreamLaws
{
    [Fact]
    public void A_stream_passes_as_a_slow_reader_of_whole_trees_would_pass_it() => Cases.Check(3000, dice =>
    {
        var (endpoint, final, continuous) = Kind(dice);
        var stream = RandomStream.Draw(dice, endpoint);
        var reference = new StreamReference(endpoint, final, continuous);
        reference.Run(stream);
        var (sent, scan) = Run(stream, stream.Length, dice, endpoint, final, continuous);
        var (shown, expected) = (Encoding.UTF8.GetString(stream), Encoding.UTF8.GetString([.. reference.Sent]));
        Assert.True(expected == sent, $"{shown}\n--- sent\n{sent}\n--- expected\n{expected}");
        Assert.Equal(Encoding.UTF8.GetString(reference.Held), Encoding.UTF8.GetString(scan.Held.Span));
        Assert.True(
            (reference.Usage, reference.Done, reference.Error) == (scan.Usage, scan.Done, scan.Error),
            $"{shown}\n--- {(scan.Usage, scan.Done, scan.Error)}\nbut {(reference.Usage, reference.Done, reference.Error)}");
        Assert.InRange(scan.ContentEvents, reference.ContentEvents, reference.ContentEvents + reference.Unreadable);
    });

    [Fact]
    public void How_a_stream_is_split_changes_nothing() => Cases.Check(1500, dice =>
    {
        var (endpoint, final, continuous) = Kind(dice);
        var stream = RandomStream.Draw(dice, endpoint);
        var (whole, one) = Run(stream, stream.Length, dice, endpoint, final, continuous);
        foreach (var most in new[] { 1, dice.Whole(1, 300) })
        {
            var (split, other) = Run(stream, most, dice, endpoint, final, continuous);
            Assert.Equal(whole, split);
            Assert.Equal(Encoding.UTF8.GetString(one.Held.Span), Encoding.UTF8.GetString(other.Held.Span));
            Assert.Equal((one.Usage, one.ContentEvents, one.Done, one.Error), (other.Usage, other.ContentEvents, other.Done, other.Error));
        }
    });

    [Fact]
    public void An_event_leaves_as_soon_as_it_is_whole() => Cases.Check(100, dice =>
    {
        var events = dice.Many(1, 5, () => $"data: {{\"choices\":[{{\"text\":\"{dice.Whole(0, 99)}\"}}]}}\r\n\r\n");
        var scan = new StreamScan(Endpoint.Completions, false, false);
        var sent = new ArrayBufferWriter<byte>();
        var due = 0;
        foreach (var one in events)
        {
            var bytes = Encoding.UTF8.GetBytes(one);
            for (var i = 0; i < bytes.Length; i++)
            {
                scan.Feed(bytes.AsSpan(i, 1), sent);
                var whole = i >= bytes.Length - 2;   // its last carriage return ends it
                Assert.Equal(whole ? due + i + 1 : due, sent.WrittenCount);
            }

            due += bytes.Length;
        }
    });

    private static (Endpoint Endpoint, bool Final, bool Continuous) Kind(Dice dice) =>
        (new[] { Endpoint.Chat, Endpoint.Completions, Endpoint.Responses }[dice.Whole(0, 2)], dice.Chance(0.5), dice.Chance(0.3));

    private static (string Sent, StreamScan Scan) Run(byte[] stream, int most, Dice dice, Endpoint endpoint, bool final, bool continuous)
    {
        var scan = new StreamScan(endpoint, final, continuous);
        var to = new ArrayBufferWriter<byte>();
        for (var at = 0; at < stream.Length;)
        {
            var length = Math.Min(stream.Length - at, most == stream.Length ? most : dice.Whole(1, most));
            scan.Feed(stream.AsSpan(at, length), to);
            at += length;
        }

        scan.End(to);
        return (Encoding.UTF8.GetString(to.WrittenSpan), scan);
    }
}
