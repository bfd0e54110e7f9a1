using TokenFactory.Catalog;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Catalog;

namespace TokenFactory.Tests.Performance.Measured;

/// <summary>Small tables of measurements written by hand.</summary>
internal static class Tables
{
    private const string Columns = "row_id,model_key,gpu_key,engine,precision_key,load_kind,input_len_tok,output_len_tok,concurrency,gpu_count";

    /// <summary>One row: Llama 3.1 8B on an H100 under vLLM and a closed loop, but for what is given as "column=value".</summary>
    public static ServingPoint Row(params string[] fields)
    {
        var row = Columns.Split(',')
            .Zip("r1,llama-3.1-8b,h100-sxm,vLLM,fp8,closed_loop,1000,500,16,1".Split(','))
            .ToDictionary(pair => pair.First, pair => pair.Second);
        foreach (var field in fields.Select(field => field.Split('=', 2)))
            row[field[0]] = field[1];
        var mistakes = new List<Mistake>();
        var text = $"{string.Join(',', row.Keys)}\n{string.Join(',', row.Values.Select(value => $"\"{value}\""))}\n";
        var point = Assert.Single(ServingPoints.Read(text, "points.csv", mistakes));
        Assert.Empty(mistakes);
        return point;
    }

    public static Scenario Scenario(params string[] fields)
    {
        var (scenario, reason) = new PointInterpreter(CatalogFiles.Shipped).Interpret(Row(fields));
        Assert.Null(reason);
        Assert.NotNull(scenario);
        return scenario;
    }

    public static string Reason(params string[] fields)
    {
        var (scenario, reason) = new PointInterpreter(CatalogFiles.Shipped).Interpret(Row(fields));
        Assert.Null(scenario);
        Assert.NotNull(reason);
        return reason;
    }
}
