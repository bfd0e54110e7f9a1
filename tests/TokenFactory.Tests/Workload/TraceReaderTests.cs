using System.Globalization;
using System.Text.RegularExpressions;
using TokenFactory.Tests.Laws;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Tests.Workload;

/// <summary>Recorded traces are read row by row as they are, and what is wrong with them is told by line.</summary>
public sealed class TraceReaderTests
{
    private const string Header = "arrival_s,input_tokens,output_tokens";

    [Fact]
    public void Reads_azure_with_and_without_offsets()
    {
        string[] old = ["TIMESTAMP,ContextTokens,GeneratedTokens", "2023-11-16 18:17:03.9799600,4808,10", "2023-11-16 18:17:04.0319600,3180,8"];
        string[] later = ["\uFEFFTIMESTAMP,ContextTokens,GeneratedTokens", "2024-05-10 00:00:00.009930+00:00,2162,5", "2024-05-10 02:00:01.017335+02:00,2399,6"];
        Assert.Equal([(0, 4808, 10), (0.052, 3180, 8)], Rows(old).Select(row => (row.Seconds, row.InputTokens, row.OutputTokens)));
        Assert.Equal([(0, 2162, 5), (1.007405, 2399, 6)], Rows(later).Select(row => (row.Seconds, row.InputTokens, row.OutputTokens)));
    }

    [Fact]
    public void Reads_burstgpt_in_any_order_of_columns_and_counts_failures()
    {
        var log = new TraceLog();
        var rows = TraceReader.Rows(
            ["Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type", "5,s1,2.5,ChatGPT,472,18,490,Conversation log", "45,s1,1,GPT-4,1087,0,1087,API log", "118,s2,1,GPT-4,417,276,693,API log"], log).ToList();
        Assert.Equal([(5, 472, 18, "ChatGPT", "s1"), (118, 417, 276, "GPT-4", "s2")], rows.Select(row => (row.Seconds, row.InputTokens, row.OutputTokens, row.Class!, row.Session!)));
        Assert.Equal((1, 0, TraceFormat.BurstGpt), (log.Failed, log.MistakeCount, log.Format));
        Assert.Equal((5, 472), Rows(["Log Type,Timestamp,Request tokens,Response tokens,Total tokens,Model", "API log,5,472,18,490,ChatGPT"]).Select(row => (row.Seconds, row.InputTokens)).Single());
    }

    [Fact]
    public void Reads_mooncake_blocks_as_pieces_of_which_the_last_is_what_remains()
    {
        var rows = Rows(["""{"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [0, 1, 2]}""", """{"timestamp": 3000, "input_length": 1024, "output_length": 5, "hash_ids": [0, 1]}"""]);
        Assert.Equal([512, 512, 76], rows[0].Prefix.ToArray().Select(piece => piece.Tokens));
        Assert.Equal(rows[0].Prefix.ToArray()[..2], rows[1].Prefix.ToArray());
        Assert.Equal(3, rows[1].Seconds);
    }

    [Fact]
    public void Reads_our_own_columns_also_quoted_and_as_json()
    {
        var csv = Rows(["arrival_s,input_tokens,output_tokens,class,tenant,session,turn,max_tokens,prefix,answer", "0.5,100,7,\"a,b\",t,s,3,50,sys:60 77:40,88", "1,1,1,,,,,,,"]);
        var json = Rows(["""{"arrival_s":0.5,"input_tokens":100,"output_tokens":7,"class":"a,b","tenant":"t","session":"s","turn":3,"max_tokens":50,"prefix":"sys:60 77:40","answer":"88"}""", """{"arrival_s":1,"input_tokens":1,"output_tokens":1,"class":null}"""]);
        foreach (var rows in new[] { csv, json })
        {
            var row = rows[0];
            Assert.Equal((0.5, 100, 7, "a,b", "t", "s"), (row.Seconds, row.InputTokens, row.OutputTokens, row.Class, row.Tenant, row.Session));
            Assert.Equal((3, 50, 77UL, 40, 88UL), (row.Turn, row.MaxTokens, row.Prefix.Span[1].Content, row.Prefix.Span[1].Tokens, row.Answer));
            Assert.Equal((null, null, 0, 0UL), (rows[1].Class, rows[1].Session, rows[1].Prefix.Length, rows[1].Answer));
        }

        Assert.Equal(csv[0].Prefix.ToArray(), json[0].Prefix.ToArray());
    }

    [Theory]
    [InlineData(1, "begins with 'a,b'", "a,b", "1,2")]
    [InlineData(1, "the column input_tokens is missing", "arrival_s,output_tokens", "1,2")]
    [InlineData(1, "unknown column 'inputs'", Header + ",inputs", "1,2,3,4")]
    [InlineData(1, "the column arrival_s stands twice", Header + ",arrival_s", "1,2,3,4")]
    [InlineData(1, "is not JSON", "{nonsense")]
    [InlineData(1, "is JSON without arrival_s or timestamp", "{}")]
    [InlineData(1, "the trace holds no request", "")]
    [InlineData(1, "the trace holds no request", Header)]
    [InlineData(3, "has 2 fields, the header 3", Header, "1,2,3", "1,2")]
    [InlineData(2, "arrival_s is '-x'", Header, "-x,2,3")]
    [InlineData(2, "arrival_s is -1", Header, "-1,2,3")]
    [InlineData(2, "input_tokens is 0", Header, "1,0,3")]
    [InlineData(2, "input_tokens is -5", Header, "1,-5,3")]
    [InlineData(2, "output_tokens is 1.5", Header, "1,5,1.5")]
    [InlineData(2, "output_tokens is 9, more than max_tokens 8", Header + ",max_tokens", "1,5,9,8")]
    [InlineData(2, "prefix holds 'x'", Header + ",prefix", "1,5,9,x")]
    [InlineData(2, "prefix holds 6 tokens, the prompt 5", Header + ",prefix", "1,5,9,x:3 y:3")]
    [InlineData(3, "arrives 100 s before a row above it", Header, "200,5,9", "100,5,9")]
    [InlineData(2, "TIMESTAMP is 'yesterday'", "TIMESTAMP,ContextTokens,GeneratedTokens", "yesterday,1,2")]
    [InlineData(2, "ContextTokens is -4", "TIMESTAMP,ContextTokens,GeneratedTokens", "2023-11-16 18:17:03,-4,2")]
    [InlineData(1, "hash_ids names 2 blocks of a prompt of 512 tokens", """{"timestamp":0,"input_length":512,"output_length":1,"hash_ids":[1,2]}""")]
    [InlineData(1, "hash_ids is no list", """{"timestamp":0,"input_length":512,"output_length":1,"hash_ids":["x"]}""")]
    [InlineData(2, "unknown key 'inputs'", """{"arrival_s":1,"input_tokens":1,"output_tokens":1}""", """{"arrival_s":1,"input_tokens":1,"output_tokens":1,"inputs":1}""")]
    [InlineData(2, "is not JSON", """{"arrival_s":1,"input_tokens":1,"output_tokens":1}""", """{"arrival_s":""")]
    public void Tells_each_mistake_with_its_line(int line, string what, params string[] lines)
    {
        var mistake = Assert.Single(TraceCheck.Of(lines, new TraceOptions()).Mistakes);
        Assert.Equal(line, mistake.Line);
        Assert.StartsWith(what, mistake.What, StringComparison.Ordinal);
        Assert.NotEmpty(mistake.Remedy);
    }

    [Fact]
    public void Tells_all_mistakes_at_once_up_to_a_hundred()
    {
        var check = TraceCheck.Of([Header, .. Enumerable.Repeat("x,0,-1", 50), "1,1,1"], new TraceOptions());
        Assert.Equal((150, 100, 1), (check.MistakeCount, check.Mistakes.Count, check.Requests));
        Assert.Equal([2, 2, 2, 3], check.Mistakes.Take(4).Select(mistake => (int)mistake.Line));
        Assert.Throws<TraceException>(() => new TracePlan { Name = "t", Lines = () => [], Contents = check }.Traffic(1));
    }

    [Fact]
    public void Puts_rows_that_come_a_little_late_back_in_order()
    {
        var log = new TraceLog();
        var rows = TraceReader.Rows([Header, "100,1,1", "40.5,2,1", "100,3,1", "99,4,1", "300,5,1"], log).ToList();
        Assert.Equal([2, 4, 1, 3, 5], rows.Select(row => row.InputTokens));
        Assert.Equal((2, 0), (log.Reordered, log.MistakeCount));
    }

    [Fact]
    public void Never_holds_a_trace()
    {
        var asked = 0;
        IEnumerable<string> Endless()
        {
            yield return Header;
            while (true)
                yield return string.Create(CultureInfo.InvariantCulture, $"{asked++},5,5");
        }

        Assert.Equal(1000, TraceReader.Rows(Endless(), new TraceLog()).Take(1000).Count());
        Assert.InRange(asked, 1000, 1100);
        Assert.Equal(10, TraceReader.Rows(Endless(), new TraceLog()).Shaped(new TraceOptions { FromSeconds = 5000, ToSeconds = 5010 }, 1).Count());
    }

    [Fact]
    public void Closes_its_file_when_the_workload_ends_before_it()
    {
        var closed = false;
        IEnumerable<string> Lines()
        {
            try
            {
                yield return Header;
                for (var i = 0; i < 1000; i++)
                    yield return string.Create(CultureInfo.InvariantCulture, $"{i},5,5");
            }
            finally
            {
                closed = true;
            }
        }

        var plan = new TracePlan { Name = "t", Lines = Lines, Contents = TraceCheck.Of(Lines(), new TraceOptions()) };
        closed = false;
        var traffic = new MergedTraffic([plan.Traffic(1)], 10);
        for (var i = 0; i < 10; i++)
            Assert.NotNull(traffic.Next());
        Assert.False(closed);
        Assert.Null(traffic.Next());
        Assert.True(closed);
    }

    [Fact]
    public void What_is_written_is_read_back_the_same() =>
        Cases.Check(50, dice =>
        {
            var seconds = 0.0;
            var rows = dice.Many(1, 30, () => new TraceRow
            {
                Seconds = seconds = Math.Round(seconds + dice.Real(0, 2), 9),
                InputTokens = 10_000,
                OutputTokens = dice.Whole(1, 50),
                Class = dice.Chance(0.5) ? "a \"b\", c" : null,
                Tenant = dice.Chance(0.5) ? "t" : null,
                Session = dice.Chance(0.5) ? "s" : null,
                MaxTokens = dice.Chance(0.5) ? 50 : 0,
                Prefix = dice.Many(0, 4, () => new PromptSegment((ulong)dice.Whole(1, 1 << 30) << 30, dice.Whole(1, 2000))).ToArray(),
                Answer = dice.Chance(0.5) ? ulong.MaxValue - 5 : 0,
            });
            foreach (var lines in new[] { TraceWriter.Csv(rows), TraceWriter.JsonLines(rows) })
            {
                var back = Rows([.. lines]);
                Assert.Equal(rows.Select(Text), back.Select(Text));
            }

            static string Text(TraceRow row) =>
                string.Create(CultureInfo.InvariantCulture, $"{Math.Round(row.Seconds, 9):R} {row.InputTokens} {row.OutputTokens} {row.Class} {row.Tenant} {row.Session} {row.MaxTokens} {row.Answer} ")
                + string.Join(' ', row.Prefix.ToArray());
        });

    [Fact]
    public void Traffic_that_is_written_and_read_back_asks_the_same()
    {
        var plan = new SessionPlan
        {
            Name = "talk",
            Class = "chat",
            Arrivals = ArrivalPlan.Poisson(2),
            Turns = new Geometric(4),
            Lengths = new PairedLengths(new Uniform(5, 90), new Uniform(5, 90)),
            SystemPromptTokens = 50,
            MaxTokens = 60,
            Think = new Exponential(3),
            Sessions = 40,
        };
        var traffic = plan.Traffic(7);
        var asked = IdealFleet.Asked(traffic, 0.02).ToList();
        var lines = TraceWriter.Csv(asked.Select(request => TraceWriter.RowOf(request, traffic))).ToList();
        var trace = new TracePlan { Name = "trace", Lines = () => lines, Contents = TraceCheck.Of(lines, new TraceOptions()) };
        var again = TrafficOf.Open(trace.Traffic(1));
        Assert.Equal(asked.Select(Text), again.Select(Text));
        Assert.Equal(TrafficOf.Served(plan.Traffic(7), request => 0.02 * request.Script.OutputTokens).Select(Text), again.Select(Text));
        Assert.Equal(["chat"], trace.Traffic(1).Classes);

        static string Text(Request request) =>
            $"{request.Arrival.Nanoseconds} {request.PromptTokens} {request.Script} {request.MaxTokens} {request.Turn} {string.Join(' ', request.Prompt.ToArray())}";
    }

    [Theory]
    [InlineData("azure_llm_2023_code.csv")]
    [InlineData("azure_llm_2023_conv.csv")]
    [InlineData("mooncake_conversation_trace.jsonl")]
    [InlineData("mooncake_synthetic_trace.jsonl")]
    public void Reads_whole_recorded_traces_to_the_last_token(string name)
    {
        var path = Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "data", "traces", name));
        Assert.SkipUnless(File.Exists(path), "The recorded traces are not beside this checkout.");
        var (requests, input, output) = Counted(File.ReadAllText(path), name.EndsWith("jsonl", StringComparison.Ordinal));
        var check = TraceCheck.Of(File.ReadLines(path), new TraceOptions());
        Assert.Empty(check.Mistakes);
        var profile = TraceProfile.Of(TraceReader.Rows(File.ReadLines(path), new TraceLog()));
        Assert.Equal((requests, requests, input, output), (check.Requests, profile.Requests, (long)profile.Input.Sum, (long)profile.Output.Sum));
        var traffic = new TracePlan { Name = "t", Lines = () => File.ReadLines(path), Contents = check, Options = new() { Speedup = 4 } }.Traffic(1);
        var sent = TrafficOf.Open(traffic);
        Assert.Equal((requests, input, output), (sent.Count, sent.Sum(request => (long)request.PromptTokens), sent.Sum(request => (long)request.Script.OutputTokens)));
        Nearly.Equal(check.LastSeconds / 4, sent[^1].Arrival.Seconds, 1e-9);
    }

    /// <summary>Another way to count: by text, without the reader.</summary>
    private static (long Requests, long Input, long Output) Counted(string text, bool json)
    {
        if (!json)
        {
            var rows = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Trim().Split(',')).ToList();
            return (rows.Count, rows.Sum(row => long.Parse(row[1], CultureInfo.InvariantCulture)), rows.Sum(row => long.Parse(row[2], CultureInfo.InvariantCulture)));
        }

        long Sum(string key) => Regex.Matches(text, $"\"{key}\": (\\d+)").Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        return (Regex.Count(text, "hash_ids"), Sum("input_length"), Sum("output_length"));
    }

    private static List<TraceRow> Rows(params string[] lines)
    {
        var log = new TraceLog();
        var rows = TraceReader.Rows(lines, log).ToList();
        Assert.Empty(log.Mistakes);
        return rows;
    }
}
