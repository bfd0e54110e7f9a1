using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>Turns rows of the tables into constants of one accelerator.</summary>
internal sealed class KernelResolver
{
    private readonly KernelTable _table;
    private readonly Accelerator _gpu;
    private readonly IReadOnlyDictionary<string, Accelerator> _gpus;
    private readonly IReadOnlyList<IReadOnlyList<Accelerator>> _circles;
    private readonly double _bandwidth;

    public KernelResolver(KernelTable table, IReadOnlyDictionary<string, Accelerator> gpus, Accelerator gpu)
    {
        (_table, _gpus, _gpu) = (table, gpus, gpu);
        _bandwidth = gpu.MemoryBandwidth?.Value.Value ?? 0;
        var measured = table.Kernels.Select(row => row.Gpu).Concat(table.Collectives.Select(row => row.Gpu));
        _circles = [.. Kinship.Circles(gpu, measured.Distinct(StringComparer.Ordinal).Select(key => gpus[key]))];
    }

    /// <summary>Whether the data sheet and the tables say enough.</summary>
    public bool CanResolve =>
        _bandwidth > 0
        && NumberFormats.Peak(_gpu, NumberFormat.Bf16) > 0
        && Enum.GetValues<KernelOperator>().All(op => _table.Kernels.Any(row => row.Operator == op && row.Precision == "bf16"))
        && Enum.GetValues<CollectiveOperator>().All(op => _table.Collectives.Any(row => row.Operator == op && row.Nodes == 1));

    public Sourced<GemmConstants> Gemm(NumberFormat format)
    {
        var row = Find(KernelOperator.Gemm, format);
        return new Sourced<GemmConstants>(KernelModels.Gemm(_gpu, format, row.Constants), Provenance.Of(row.From), row.Note);
    }

    public Sourced<ExpertsConstants> Experts(NumberFormat format)
    {
        var row = Find(KernelOperator.Experts, format);
        return new Sourced<ExpertsConstants>(KernelModels.Experts(_gpu, format, row.Constants), Provenance.Of(row.From), row.Note);
    }

    public Sourced<AttentionConstants> Attention(NumberFormat format, bool latent)
    {
        var kv = format is NumberFormat.Fp32 or NumberFormat.Bf16 ? NumberFormat.Bf16 : NumberFormat.Fp8;
        var prefill = Find(latent ? KernelOperator.LatentPrefill : KernelOperator.AttentionPrefill, kv);
        var decode = Find(latent ? KernelOperator.LatentDecode : KernelOperator.AttentionDecode, kv);
        return new Sourced<AttentionConstants>(
            KernelModels.Attention(_gpu, kv, prefill.Constants, decode.Constants),
            Provenance.Of(prefill.From).And(Provenance.Of(decode.From)),
            decode.Note);
    }

    public Sourced<CollectiveConstants> Collectives()
    {
        var (rows, from) = Find(CollectiveOperator.AllReduce, CollectiveOperator.AllToAll);
        return new Sourced<CollectiveConstants>(new CollectiveConstants(rows, LinkSpeeds.Of(_gpu)), from);
    }

    public Sourced<DispatchConstants> Dispatch()
    {
        var (rows, from) = Find(CollectiveOperator.DispatchLowLatency, CollectiveOperator.CombineNormal);
        return new Sourced<DispatchConstants>(new DispatchConstants(rows, LinkSpeeds.Of(_gpu)), from);
    }

    /// <summary>The row of the nearest kin; within a circle, the precision that fits the format best.</summary>
    private KernelRow Find(KernelOperator op, NumberFormat format)
    {
        var precisions = NumberFormats.Precisions(_gpu, format);
        for (var circle = 0; circle < _circles.Count; circle++)
        {
            foreach (var precision in precisions)
            {
                var native = NumberFormats.IsNative(_gpu, precision);
                var rows = (from kin in _circles[circle]
                            where NumberFormats.IsNative(kin, precision) == native
                            from row in _table.Kernels
                            where row.Operator == op && row.Gpu == kin.Key && row.Precision == precision
                            select row).ToList();
                if (rows.Count > 0 && circle == 0 && NumberFormats.IsExact(precision, _gpu, format))
                    return rows[0];
                if (rows.Count > 0)
                    return Borrowed(op, circle < Kinship.SingleCircles ? rows[..1] : rows);
            }
        }

        throw new InvalidOperationException($"No row of {op} can stand in for {format}; CanResolve checks for one.");
    }

    private static KernelRow Borrowed(KernelOperator op, List<KernelRow> rows)
    {
        var constants = KernelRow.Columns.Select((_, i) => Median([.. rows.Select(row => row.Constants[i])])).ToArray();
        var from = Estimate([.. rows.Select(row => ($"{row.Precision} on {row.Gpu}", row.From))]);
        return new KernelRow(op, rows[0].Gpu, rows[0].Precision, constants, from, rows[0].Note);
    }

    private (IReadOnlyList<CollectiveRow>[] Rows, Provenance From) Find(CollectiveOperator first, CollectiveOperator last)
    {
        var found = new IReadOnlyList<CollectiveRow>[CollectiveRow.Operators.Count];
        Provenance? from = null;
        for (var op = first; op <= last; op++)
        {
            var rows = Near(op, 1).Concat(Near(op, 2)).OrderBy(row => row.Nodes).ThenBy(row => row.Ranks).ToList();
            var own = Provenance.Of(rows[0].Gpu == _gpu.Key ? rows[0].From : Estimate([(rows[0].Gpu, rows[0].From)]));
            (found[(int)op], from) = (rows, from?.And(own) ?? own);
        }

        return (found, from!);
    }

    /// <summary>All rows of the nearest kin with the same kind of link, inside a domain or between domains.</summary>
    private List<CollectiveRow> Near(CollectiveOperator op, int nodes)
    {
        var fast = LinkSpeeds.IsFast(_gpu);
        foreach (var kin in _circles.SelectMany(circle => circle.Where(kin => LinkSpeeds.IsFast(kin) == fast)).Concat(_circles[^1]))
        {
            var rows = _table.Collectives.Where(row => row.Operator == op && row.Gpu == kin.Key && row.Nodes > 1 == nodes > 1).ToList();
            if (rows.Count > 0)
                return rows;
        }

        return [];
    }

    private static Source Estimate(IReadOnlyList<(string What, Source From)> of)
    {
        var oldest = of.MinBy(row => row.From.Date.Earliest).From.Date;
        var text = of.Count == 1
            ? $"as {of[0].What}, in shares of the data sheet: {of[0].From.Text}"
            : $"median of {of.Count} measured GPUs, in shares of the data sheet: {of[0].From.Text.Split(':')[0]}";
        return new Source(SourceKind.Estimated, text, oldest);
    }

    private static double Median(double[] numbers)
    {
        Array.Sort(numbers);
        var middle = numbers.Length / 2;
        return numbers.Length % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
    }
}
