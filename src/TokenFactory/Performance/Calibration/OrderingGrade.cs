namespace TokenFactory.Performance.Calibration;

/// <summary>
/// How well the model orders configurations: of those of a cell that serve the same lengths at nearly the same time per token, which make
/// more tokens per second and GPU. That is what a planner asks of it.
/// </summary>
/// <param name="Tau">
/// Kendall's tau of predicted against measured: 1 for the same order, -1 for the reverse; of each bin weighted by its size, averaged
/// over cells.
/// </param>
/// <param name="Cells">Cells that have enough rows.</param>
/// <param name="Rows">Rows in their bins.</param>
public sealed record OrderingGrade(double Tau, int Cells, int Rows)
{
    /// <summary>Rows with fewer neighbours than this say nothing about order.</summary>
    public const int FewestInBin = 4;

    /// <summary>A cell with fewer rows is left out.</summary>
    public const int FewestInCell = 8;

    /// <summary>Each bin of times per token is this much wider than it is fast.</summary>
    public const double BinStep = 1.25;

    /// <summary>
    /// The grade of figures of tokens per second whose rows also measure the time per token; null where no cell has enough.
    /// </summary>
    /// <param name="figures">Figures of any metric.</param>
    public static OrderingGrade? Of(IEnumerable<Figure> figures)
    {
        var taus = new List<(double Tau, int Rows)>();
        var fit = figures.Where(figure => figure.Metric == Metric.Tokens && figure.Outcome.Sample.Point.MeasuredTpot > 0 && !figure.MlPerf);
        foreach (var cell in fit.GroupBy(figure => figure.Outcome.Sample.Cell, StringComparer.Ordinal)
            .OrderBy(cell => cell.Key, StringComparer.Ordinal))
        {
            if (cell.Count() < FewestInCell)
                continue;
            var bins = cell.GroupBy(Bin).Select(bin => bin.Select(PerGpu).ToList()).Where(bin => bin.Count >= FewestInBin).ToList();
            var known = bins.Select(bin => (Tau: Kendall(bin), bin.Count)).Where(bin => bin.Tau is not null).ToList();
            var rows = known.Sum(bin => bin.Count);
            if (rows > 0)
                taus.Add((known.Sum(bin => bin.Tau!.Value * bin.Count) / rows, rows));
        }

        return taus.Count == 0 ? null : new OrderingGrade(taus.Average(cell => cell.Tau), taus.Count, taus.Sum(cell => cell.Rows));
    }

    /// <summary>Kendall's tau-b of pairs; ties on one side count against it. Null where one side is all ties.</summary>
    public static double? Kendall(IReadOnlyList<(double Left, double Right)> pairs)
    {
        var (agree, leftTies, rightTies, all) = (0, 0, 0, 0);
        for (var i = 0; i < pairs.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (left, right) = (pairs[i].Left.CompareTo(pairs[j].Left), pairs[i].Right.CompareTo(pairs[j].Right));
                agree += left * right;
                leftTies += left == 0 ? 1 : 0;
                rightTies += right == 0 ? 1 : 0;
                all++;
            }
        }

        var untied = (double)(all - leftTies) * (all - rightTies);
        return untied > 0 ? agree / Math.Sqrt(untied) : null;
    }

    private static (double Input, double Output, int Step) Bin(Figure figure)
    {
        var sample = figure.Outcome.Sample;
        var step = (int)Math.Floor(Math.Log(sample.Point.MeasuredTpot!.Value) / Math.Log(BinStep));
        return (Math.Round(sample.Load.InputTokens), Math.Round(sample.Load.OutputTokens), step);
    }

    /// <summary>Both sides as total tokens per second and GPU, whatever the row counts.</summary>
    private static (double Predicted, double Measured) PerGpu(Figure figure)
    {
        var (sample, prediction) = (figure.Outcome.Sample, figure.Outcome.Prediction);
        var predicted = prediction.Fits ? prediction.TotalTokensPerSecond / prediction.Gpus : 0;
        return (predicted, sample.MeasuredTokensPerGpu!.Value);
    }
}
