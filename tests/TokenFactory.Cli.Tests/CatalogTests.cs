using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>catalog, as the user meets it.</summary>
public sealed class CatalogTests
{
    private const string Header = "provider,gpu,billing,usd_per_gpu_hour,date,kind,source\n";

    [Fact]
    public void The_catalog_that_ships_is_sound()
    {
        var run = Program.Run("catalog", "check");
        Assert.Equal(0, run.Code);
        Assert.Contains("every number has a source", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("h100")]
    [InlineData("H100 SXM")]
    [InlineData("h100-sxm-80gb")]
    public void Finds_the_same_thing_however_it_is_written(string name)
    {
        var run = Program.Run("catalog", "show", name, "--json");
        Assert.Equal(Program.Run("catalog", "show", "h100-sxm", "--json").Out, run.Out);
        Assert.All(run.Json.GetProperty("numbers").EnumerateArray(), number => Assert.NotEmpty(number.GetProperty("source").GetString()!));
    }

    [Theory]
    [InlineData("llama-3.1-70b")]
    [InlineData("vllm")]
    [InlineData("Spheron")]
    [InlineData("gtc-2026")]
    [InlineData("site-defaults")]
    public void Shows_every_kind_of_thing(string name) => Assert.Equal(0, Program.Run("catalog", "show", name).Code);

    [Theory]
    [InlineData("accelerators", 20)]
    [InlineData("models", 25)]
    [InlineData("prices", 279)]
    [InlineData("engines", 5)]
    [InlineData("points", 50)]
    public void Lists_every_kind(string kind, int atLeast)
    {
        var run = Program.Run("catalog", "list", kind, "--json");
        Assert.Equal(0, run.Code);
        Assert.True(run.Json.GetProperty(kind).GetArrayLength() >= atLeast);
        Assert.Equal(0, Program.Run("catalog", "list", kind, "h").Code);
    }

    [Fact]
    public void A_broken_entry_makes_the_answer_no()
    {
        using var folder = new TemporaryFolder();
        folder.Write("accelerators/x1.json", """{"key": "x1", "name": "X1", "vendor": "X", "architecture": "X", "tdp_w": 500, "memory_bg": 5}""");
        var run = Program.Run("catalog", "check", "--catalog", folder.Root);
        Assert.Equal(1, run.Code);
        Assert.Contains("'tdp_w' has no source", run.Out, StringComparison.Ordinal);
        Assert.Contains("unknown key 'memory_bg'", run.Out, StringComparison.Ordinal);
        Assert.Equal(2, Program.Run("price", "--catalog", folder.Root).Code);
    }

    [Fact]
    public void Your_own_entries_lie_over_the_built_in_ones()
    {
        using var folder = new TemporaryFolder();
        folder.Write("prices/spheron.csv", Header + "Spheron,h100,on-demand,1.00,2026-11-20,datasheet,our contract\n");
        var json = Program.Run("price", "--gpu", "h100", "--provider", "Spheron", "--model", "llama-3.1-70b", "--catalog", folder.Root, "--json").Json;
        Assert.All(json.GetProperty("points").EnumerateArray(), point => Assert.Equal(1.00, point.GetProperty("usd_per_gpu_hour").GetDouble()));
        Assert.Equal(2, Program.Run("price", "--gpu", "h200", "--provider", "Spheron", "--catalog", folder.Root).Code);
    }

    [Fact]
    public void An_import_takes_the_place_of_all_rows_of_its_provider()
    {
        using var folder = new TemporaryFolder();
        var own = Path.Combine(folder.Root, "own");
        var sheet = folder.Write("sheet.csv", Header + "spheron,H100 SXM,on-demand,2.50,2026-11-20,datasheet,price page\nspheron,h100,spot,0.70,2026-11-20,datasheet,price page\n");
        var run = Program.RunIn(null, own, "catalog", "import-prices", sheet);
        Assert.Equal(0, run.Code);
        Assert.Contains("2 prices in place of", run.Out, StringComparison.Ordinal);
        Assert.Equal(["own/prices/spheron.csv", "sheet.csv"], folder.Files());
        var after = Program.RunIn(null, own, "catalog", "list", "prices", "spheron", "--json").Json.GetProperty("prices");
        Assert.Equal(2, after.GetArrayLength());
        Assert.Equal(0, Program.RunIn(null, own, "catalog", "import-prices", sheet, "--dry-run").Code);
        Assert.Equal(0, Program.Run("catalog", "import-prices", sheet, "--catalog", Path.Combine(folder.Root, "new")).Code);
        Assert.True(File.Exists(Path.Combine(folder.Root, "new", "prices", "spheron.csv")));
    }

    [Fact]
    public void A_second_file_with_rows_of_the_provider_is_not_left_beside_the_new_ones()
    {
        using var folder = new TemporaryFolder();
        folder.Write("own/prices/mine.csv", Header + "X,h100,on-demand,2.50,2026-11-20,datasheet,p\n");
        var sheet = folder.Write("sheet.csv", Header + "x,h100,on-demand,2.40,2026-11-21,datasheet,p\n");
        var run = Program.RunIn(null, Path.Combine(folder.Root, "own"), "catalog", "import-prices", sheet);
        Assert.Equal(2, run.Code);
        Assert.Contains("mine.csv: holds prices of X too", run.Err, StringComparison.Ordinal);
        Assert.Equal(["own/prices/mine.csv", "sheet.csv"], folder.Files());
    }

    [Fact]
    public void Providers_of_any_alphabet_keep_their_own_sheets()
    {
        using var folder = new TemporaryFolder();
        var own = Path.Combine(folder.Root, "own");
        foreach (var provider in new[] { "\u6771\u4eac", "\u5927\u962a", "\u00dcWS", "WS" })
            Assert.Equal(0, Program.RunIn(null, own, "catalog", "import-prices", folder.Write("s.csv", Header + provider + ",h100,spot,1,2026-11-20,datasheet,p\n")).Code);
        Assert.Equal(4, Directory.GetFiles(Path.Combine(own, "prices")).Length);
    }

    [Fact]
    public void A_price_of_the_future_is_refused()
    {
        using var folder = new TemporaryFolder();
        var sheet = folder.Write("s.csv", Header + "X,h100,spot,1,2027-11-20,datasheet,p\n");
        var run = Program.RunIn(null, Path.Combine(folder.Root, "own"), "catalog", "import-prices", sheet);
        Assert.Equal(2, run.Code);
        Assert.Contains("which is to come", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_one_clear_error()
    {
        using var folder = new TemporaryFolder();
        var sheet = folder.Write("s.csv", Header + "X,h100,spot,1,2026-11-20,datasheet,p\n");
        var run = Program.Run("catalog", "import-prices", sheet, "--catalog", Path.Combine(sheet, "inside"));
        Assert.Equal(2, run.Code);
        Assert.Contains("cannot be written", run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of its own", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_sheet_is_refused_whole_and_nothing_is_written()
    {
        using var folder = new TemporaryFolder();
        var own = Path.Combine(folder.Root, "own");
        var sheet = folder.Write("sheet.csv", Header + "X,h100,on-demand,2.50,2026-11-20,datasheet,p\nX,h1000,sport,-1,soon,guess,p\nY,h100,spot,1,2026-11-20,datasheet,p\n");
        var run = Program.RunIn(null, own, "catalog", "import-prices", sheet);
        Assert.Equal(2, run.Code);
        Assert.All(new[] { "column 'gpu' names 'h1000'", "column 'billing' is 'sport'", "column 'usd_per_gpu_hour' is '-1'", "column 'date' is 'soon'", "column 'kind' is 'guess'", "holds prices of X and Y" },
            message => Assert.Contains(message, run.Err, StringComparison.Ordinal));
        Assert.All(run.Err.TrimEnd('\n').Split('\n').SkipLast(1), line => Assert.StartsWith($"error: {sheet}:3: ", line, StringComparison.Ordinal));
        Assert.Equal(["sheet.csv"], folder.Files());
    }

    [Fact]
    public void A_config_of_hugging_face_becomes_a_model_that_can_be_shown()
    {
        using var folder = new TemporaryFolder();
        var own = Path.Combine(folder.Root, "own");
        var config = Repository.Path("tests", "data", "hf-configs", "llama-3.3-70b.json");
        var run = Program.RunIn(null, own, "catalog", "add-model", config, "--key", "my-70b", "--source", "our own training");
        Assert.Equal(0, run.Code);
        Assert.Equal(["own/models/my-70b.json"], folder.Files());
        var shown = Program.RunIn(null, own, "catalog", "show", "my 70B");
        Assert.Contains("70.6 B parameters", shown.Out, StringComparison.Ordinal);
        Assert.Contains("our own training", shown.Out, StringComparison.Ordinal);
        Assert.Equal(0, Program.RunIn(null, own, "catalog", "check").Code);
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "JSON")]
    [InlineData("{\"model_type\": \"llama\"}", "'num_hidden_layers'")]
    public void A_config_that_is_none_is_refused_and_nothing_is_written(string text, string message)
    {
        using var folder = new TemporaryFolder();
        var own = Path.Combine(folder.Root, "own");
        var run = Program.RunIn(null, own, "catalog", "add-model", folder.Write("my-model.json", text));
        Assert.Equal(2, run.Code);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.Equal(["my-model.json"], folder.Files());
    }
}
