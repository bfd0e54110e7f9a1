namespace TokenFactory.Tests.Catalog;

/// <summary>Wrong inputs: every mistake says where, what and what to do, and no shape is made.</summary>
public sealed class ModelMistakesTests
{
    private const string Config =
        "{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 64, \"vocab_size\": 100, \"num_attention_heads\": 4, \"intermediate_size\": 128}";

    private const string Entry = """
        {
          "key": "test", "name": "Test", "family": "llama", "from": "config",
          "layers": 2, "hidden_size": 64, "vocabulary": 100,
          "attention": [{ "kind": "grouped-query", "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 16 }],
          "feed_forward": [{ "kind": "dense", "layers": 2, "intermediate": 128 }],
          "sources": { "config": { "source": "a test", "date": "2026-11", "kind": "estimated" } }
        }
        """;

    [Fact]
    public void The_examples_themselves_are_right()
    {
        Assert.Empty(ModelFiles.ReadConfig(Config).Mistakes);
        Assert.NotNull(ModelFiles.Read(Entry, out var mistakes));
        Assert.Empty(mistakes);
    }

    [Fact]
    public void A_config_that_is_not_JSON_is_refused_with_its_line()
    {
        var mistake = Assert.Single(ModelFiles.ReadConfig("{\n  \"hidden_size\": 64,\n  oops\n}").Mistakes);
        Assert.Equal("config.json:3: not JSON. Mend the syntax near this line.", mistake.ToString());
    }

    [Theory]
    [InlineData("[]", "holds a JSON Array")]
    [InlineData("\"llama\"", "holds a JSON String")]
    public void A_config_that_is_no_object_is_refused(string json, string what) =>
        Assert.Equal(what, Assert.Single(ModelFiles.ReadConfig(json).Mistakes).What);

    [Theory]
    [InlineData("\"num_hidden_layers\": 2, ", "", "'num_hidden_layers' is missing")]
    [InlineData("\"hidden_size\": 64, ", "", "'hidden_size' is missing")]
    [InlineData("\"vocab_size\": 100, ", "", "'vocab_size' is missing")]
    [InlineData("\"num_attention_heads\": 4, ", "", "'num_attention_heads' is missing")]
    [InlineData(", \"intermediate_size\": 128", "", "'intermediate_size' is missing")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 0", "'num_hidden_layers' is 0")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": -2", "'num_hidden_layers' is -2")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2.5", "'num_hidden_layers' is 2.5")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": \"two\"", "'num_hidden_layers' is \"two\"")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000", "'num_hidden_layers' is 2000000000")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 66", "'hidden_size' is 66, which 4 heads do not divide, and 'head_dim' is missing")]
    [InlineData("\"num_attention_heads\": 4", "\"num_attention_heads\": 4, \"num_key_value_heads\": 3", "'num_key_value_heads' is 3, which does not divide 4 heads")]
    [InlineData("\"vocab_size\": 100", "\"vocab_size\": 100, \"tie_word_embeddings\": 1", "'tie_word_embeddings' is 1")]
    [InlineData("\"vocab_size\": 100", "\"vocab_size\": 100, \"num_experts\": 8", "'num_experts_per_tok' is missing")]
    [InlineData("\"vocab_size\": 100", "\"vocab_size\": 100, \"num_experts\": 8, \"num_experts_per_tok\": 9", "'num_experts_per_tok' is 9 of 8 experts")]
    [InlineData("\"vocab_size\": 100", "\"vocab_size\": 100, \"kv_lora_rank\": 64, \"qk_nope_head_dim\": 8, \"qk_rope_head_dim\": 8", "'v_head_dim' is missing")]
    [InlineData(
        "\"vocab_size\": 100",
        "\"vocab_size\": 100, \"layer_types\": [\"full_attention\"]",
        "'num_hidden_layers' is 2, but there are 1 attention and 2 feed-forward layers")]
    public void A_config_that_cannot_be_a_model_is_refused(string written, string instead, string what)
    {
        var reading = ModelFiles.ReadConfig(Config.Replace(written, instead, StringComparison.Ordinal));
        Assert.Contains(what, reading.Mistakes.Select(mistake => mistake.What));
        Assert.All(reading.Mistakes, mistake => Assert.Equal("config.json", mistake.Where));
        Assert.Null(reading.Model);
    }

    [Fact]
    public void A_pattern_of_unknown_blocks_is_refused()
    {
        var reading = ModelFiles.ReadConfig(Config.Replace("\"llama\"", "\"nemotron_h\", \"hybrid_override_pattern\": \"*Z\"", StringComparison.Ordinal));
        Assert.Contains("'hybrid_override_pattern' has blocks 'Z'", reading.Mistakes.Select(mistake => mistake.What));
    }

    [Fact]
    public void All_mistakes_of_a_config_are_reported_together_and_each_once()
    {
        var reading = ModelFiles.ReadConfig("{\"model_type\": \"llama\", \"num_hidden_layers\": 4}");
        Assert.Equal(
            ["'hidden_size' is missing", "'vocab_size' is missing", "'num_attention_heads' is missing", "'intermediate_size' is missing"],
            reading.Mistakes.Select(mistake => mistake.What));
    }

    [Theory]
    [InlineData("\"layers\": 2, \"hidden_size\"", "\"hidden_size\"", "'layers' is missing")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": -64", "'hidden_size' is -64")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 64.5", "'hidden_size' is 64.5")]
    [InlineData("\"hidden_size\"", "\"hiden_size\"", "unknown key 'hiden_size'")]
    [InlineData("\"kv_heads\": 2", "\"kv_heads\": 3", "'kv_heads' is 3, which does not divide 4 heads")]
    [InlineData("\"kv_heads\": 2", "\"kv_heads\": 2, \"windw_tokens\": 4", "unknown key 'windw_tokens'")]
    [InlineData("\"grouped-query\"", "\"grouped\"", "'kind' is 'grouped'")]
    [InlineData("\"dense\"", "\"sparse\"", "'kind' is 'sparse'")]
    [InlineData("\"dense\", \"layers\": 2", "\"dense\", \"layers\": 3", "'layers' is 2, but there are 2 attention and 3 feed-forward layers")]
    [InlineData("\"from\": \"config\"", "\"from\": \"elsewhere\"", "'hidden_size' comes from 'elsewhere', which 'sources' does not declare")]
    [InlineData("\"vocabulary\": 100", "\"vocabulary\": 100, \"published\": { \"active_counts\": \"some\" }", "'active_counts' is 'some'")]
    public void An_entry_that_cannot_be_a_model_is_refused(string written, string instead, string what)
    {
        var model = ModelFiles.Read(Entry.Replace(written, instead, StringComparison.Ordinal), out var mistakes);
        Assert.Contains(what, mistakes.Select(mistake => mistake.What));
        Assert.Null(model);
    }
}
