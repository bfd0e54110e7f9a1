using System.Globalization;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>predict --from: every row is answered, with figures or with a reason.</summary>
public sealed class PredictPointsTests
{
    private const string Header = "row_id,ttft_mean_ms,tpot_mean_ms,output_tok_s_total,total_tok_s_per_gpu,watts_per_gpu,fits,note";
    private const string Columns = "row_id,model_key,gpu_key,engine,precision_key,gpu_count,tp,input_len_tok,output_len_tok,concurrency,mode,disagg";

    [Fact]
    public void Answers_every_row_in_order_with_exactly_these_columns()
    {
        var run = Program.Run("predict", "--from", "examples/predict-points.csv");
        Assert.Equal(0, run.Code);
        Assert.Equal("", run.Err);
        var lines = run.Out.TrimEnd('\n').Split('\n');
        Assert.Equal(Header, lines[0]);
        Assert.Equal(["one", "two", "three", "four", "five", "six", "seven"], lines.Skip(1).Select(line => line.Split(',')[0]));
        Assert.Matches(@"^one,\d+\.?\d*,\d+\.?\d*,\d+\.?\d*,\d+\.?\d*,\d+\.?\d*,true,$", lines[1]);
        Assert.Matches(@"^two,,,,,,false,does not fit: \d\d\.\d GiB missing on each GPU", lines[2]);
        Assert.Contains("does not say how its GPUs are split", lines[5], StringComparison.Ordinal);
        Assert.EndsWith("the catalog has no model 'no-such-model'", lines[6], StringComparison.Ordinal);
        Assert.Contains("neither concurrency nor request rate", lines[7], StringComparison.Ordinal);
    }

    [Fact]
    public void Never_reads_what_was_measured()
    {
        const string bare = "row_id,model_key,gpu_key,engine,precision_key,gpu_count,tp,input_len_tok,output_len_tok,concurrency\n"
            + "a,llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,1024,1024,32\n";
        const string measured = "tpot_mean_ms,row_id,model_key,gpu_key,engine,precision_key,gpu_count,tp,input_len_tok,output_len_tok,concurrency,ttft_mean_ms,total_tok_s_per_gpu,"
            + "output_tok_s_total,avg_power_w_per_gpu,avg_running_batch,req_s\n"
            + "1,a,llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,1024,1024,32,2,3,4,5,6,7\n";
        Assert.Equal(Answer(bare).Out, Answer(measured).Out);
    }

    [Fact]
    public void Reads_a_file_with_a_byte_order_mark_and_windows_lines()
    {
        const string text = Columns + "\na,llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,1024,1024,32,aggregated,\n";
        Assert.Equal(Answer(text).Out, Answer("\uFEFF" + text.Replace("\n", "\r\n", StringComparison.Ordinal)).Out);
    }

    [Theory]
    [InlineData("no-such-model,h100-sxm,vLLM,fp8,4,4,1024,1024,32,aggregated,", "the catalog has no model 'no-such-model'")]
    [InlineData(",h100-sxm,vLLM,fp8,4,4,1024,1024,32,aggregated,", "the row names no model")]
    [InlineData("llama-3.1-70b,,vLLM,fp8,4,4,1024,1024,32,aggregated,", "gpu_key is empty")]
    [InlineData("llama-3.1-70b,no-such-gpu,vLLM,fp8,4,4,1024,1024,32,aggregated,", "the catalog has no accelerator 'no-such-gpu'")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,,,32,aggregated,", "no input or output length")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,1024,1024,,aggregated,", "neither concurrency nor request rate")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,1024,1024,32,disaggregated,", "does not say how its GPUs are split")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,4,-4,1024,1024,32,aggregated,", "tp is -4")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,1e300,4,1024,1024,32,aggregated,", "gpu_count is 1E+300")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,-1,1024,32,aggregated,", "input_len_tok is -1")]
    [InlineData("llama-3.1-70b,h100-sxm,vLLM,fp8,4,2.5,1024,1024,32,aggregated,", "tp is 2.5")]
    [InlineData(",,,,,,,,,,", "the row names no model")]
    public void Gives_a_strange_row_a_reason(string row, string reason)
    {
        var run = Answer($"{Columns}\na,{row}\nb,llama-3.1-70b,h100-sxm,vLLM,fp8,4,4,1024,1024,32,aggregated,\n");
        Assert.Equal(0, run.Code);
        var lines = run.Out.Split('\n');
        Assert.StartsWith("a,,,,,,,", lines[1], StringComparison.Ordinal);
        Assert.Contains(reason, lines[1], StringComparison.Ordinal);
        Assert.Matches(",true,$", lines[2]);
    }

    [Theory]
    [InlineData("", "holds no rows")]
    [InlineData("model_key\nllama-3.1-70b\n", "column 'row_id' is missing")]
    [InlineData("row_id,model_key\na,x\na,y\n", ":3: column 'row_id' is 'a' a second time")]
    [InlineData("row_id,model_key\n,x\n", ":2: column 'row_id' is empty")]
    [InlineData("row_id,model_key\na,x,y\n", ":2: 3 fields where the header has 2")]
    [InlineData("row_id,model_key\na,\"x\n", "malformed CSV")]
    [InlineData("row_id,tp,tp\na,1,2\n", "column 'tp' stands twice")]
    [InlineData("row_id;tp\na;1\n", "is separated by semicolons")]
    [InlineData("ELF\0\0\u0001\n", "is no text")]
    public void Refuses_a_file_that_is_no_table_of_points(string text, string message)
    {
        using var folder = new TemporaryFolder();
        var to = Path.Combine(folder.Root, "out.csv");
        var run = Program.Run("predict", "--from", folder.Write("points.csv", text), "--out", to);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.False(File.Exists(to));
    }

    [Fact]
    public void Writes_the_answers_whole_and_sums_them_up()
    {
        using var folder = new TemporaryFolder();
        var to = Path.Combine(folder.Root, "out.csv");
        var run = Program.Run("predict", "--from", "examples/predict-points.csv", "--out", to, "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal(Program.Run("predict", "--from", "examples/predict-points.csv").Out, File.ReadAllText(to));
        Assert.Equal([3, 1, 3], run.Json.GetProperty("summary").EnumerateArray().Select(row => row.GetProperty("rows").GetInt32()));
        Assert.Equal(3, run.Json.GetProperty("reasons").GetArrayLength());
        Assert.Equal(["out.csv"], folder.Files());
    }

    [Fact]
    public void Makes_no_folder_that_may_be_a_slip_of_the_pen()
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("predict", "--from", "examples/predict-points.csv", "--out", Path.Combine(folder.Root, "sub", "out.csv"));
        Assert.Equal(2, run.Code);
        Assert.Contains("does not exist", run.Err, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void Says_where_it_cannot_write()
    {
        var run = Program.Run("predict", "--from", "examples/predict-points.csv", "--out", "examples/README.md/out.csv");
        Assert.Equal(2, run.Code);
        Assert.Contains("cannot be written", run.Err, StringComparison.Ordinal);
        Assert.Contains("--out", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model_key,model,gpu_key,input_len_tok,output_len_tok,concurrency", "nope,llama-3.1-70b,h100-sxm,512,512,8", "no model 'nope'")]
    [InlineData("model_key,gpu_key,input_len_tok,output_len_tok,concurrency,power_cap_w_per_gpu", "llama-3.1-8b,h100-sxm,512,512,8,50", "power_cap_w_per_gpu is 50 W")]
    public void Gives_a_reason_rather_than_a_guess(string header, string row, string reason)
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("predict", "--from", folder.Write("points.csv", $"row_id,{header}\na,{row}\n"));
        Assert.Equal(0, run.Code);
        Assert.StartsWith("a,,,,,,,", run.Out.Split('\n')[1], StringComparison.Ordinal);
        Assert.Contains(reason, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rate_without_end_is_everything_at_once()
    {
        using var folder = new TemporaryFolder();
        const string header = "row_id,model_key,gpu_key,input_len_tok,output_len_tok,load_kind,request_rate_rps\n";
        const string deployment = "llama-3.1-8b,h100-sxm,512,512";
        var rows = $"a,{deployment},poisson_open_loop,inf\nb,{deployment},offline_all_at_once,\n";
        var run = Program.Run("predict", "--from", folder.Write("points.csv", header + rows));
        var lines = run.Out.Split('\n');
        Assert.Equal(lines[1][1..], lines[2][1..]);
        Assert.Contains(",true,", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_load_of_zeros_is_none_and_comes_from_the_scenario()
    {
        using var folder = new TemporaryFolder();
        const string header = "row_id,model_key,gpu_key,gpu_count,workload,concurrency,batch_size,request_rate_rps\n";
        const string deployment = "llama-2-70b,h100-sxm,8,MLPerf v5.0 Offline";
        var run = Program.Run("predict", "--from", folder.Write("points.csv", $"{header}a,{deployment},0,0,0\nb,{deployment},,,\n"));
        var lines = run.Out.Split('\n');
        Assert.Contains(",true,", lines[1], StringComparison.Ordinal);
        Assert.Equal(lines[1][1..], lines[2][1..]);
    }

    [Fact]
    public void Quotes_names_that_csv_would_break()
    {
        var run = Answer("row_id,model_key\n\"a,\"\"b\"\"\",x\n");
        Assert.StartsWith("\"a,\"\"b\"\"\",", run.Out.Split('\n')[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_whole_systems_at_the_wall_and_takes_the_load_from_the_scenario()
    {
        const string head = "row_id,model_key,gpu_key,engine,precision_key,gpu_count,output_len_tok,workload,power_scope\n";
        const string row = "llama-2-70b,h200-sxm,TensorRT-LLM,fp8,8,291,MLPerf llama2-70b-99.9";
        var lines = Answer($"{head}a,{row} Offline,GPU board power\nb,{row} Offline,WHOLE SYSTEM AC wall power\nc,{row} Server,WHOLE SYSTEM AC wall power\n").Out.Split('\n');
        double Watts(int line) => double.Parse(lines[line].Split(',')[5], CultureInfo.InvariantCulture);
        Assert.InRange(Watts(2) / Watts(1), 1.1, 2);
        Assert.Contains("at the wall of the system per GPU (chassis model of h200-sxm", lines[2], StringComparison.Ordinal);
        Assert.Contains("answered at the most it serves", lines[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serving.csv")]
    [InlineData("power.csv")]
    public void Answers_every_published_measurement(string table)
    {
        var path = Path.GetFullPath(Repository.Path("..", "shared", "data", "measured", table));
        Assert.SkipUnless(File.Exists(path), "The published measurements do not lie beside the repository.");
        var run = Program.Run("predict", "--from", path);
        Assert.Equal(0, run.Code);
        var lines = run.Out.TrimEnd('\n').Split('\n').Skip(1).ToList();
        Assert.True(lines.Count > 2000);
        Assert.All(lines, line => Assert.True(line.Contains(",true,", StringComparison.Ordinal) || line[^1] != ',', line));
        Assert.True(lines.Count(line => line.Contains(",true,", StringComparison.Ordinal)) > 0.95 * lines.Count);
    }

    private static Outcome Answer(string text)
    {
        using var folder = new TemporaryFolder();
        return Program.Run("predict", "--from", folder.Write("points.csv", text));
    }
}
