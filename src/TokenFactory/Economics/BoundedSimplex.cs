using System.Numerics;

namespace TokenFactory.Economics;

/// <summary>How a solve ended.</summary>
internal enum SimplexStatus
{
    /// <summary>At the optimum.</summary>
    Optimal,

    /// <summary>No values keep every row and bound.</summary>
    Infeasible,

    /// <summary>The objective falls for ever.</summary>
    Unbounded,

    /// <summary>The optimum lies above what was asked for.</summary>
    CutOff,

    /// <summary>Rounding kept it from an answer within the limit of pivots.</summary>
    Stalled,
}

/// <summary>
/// Minimise c x subject to a x + s = b with bounds on every x and every slack s: a dense tableau of the columns outside the basis, with
/// the dual and the primal simplex method on it. Bounds may change between solves, which then go on from the last basis: that is what a
/// search tree needs. Rows and columns are scaled by powers of two, which rounds nothing. The tableau is made afresh from the rows after
/// so many pivots, and where the answer does not satisfy the rows. After a run of pivots without gain Bland's rule takes over, so that
/// it ends; should rounding keep it from ending, it says so.
/// </summary>
internal sealed partial class BoundedSimplex
{
    private const double Tolerance = 1e-9;      // of scaled values and reduced costs
    private const double LeastPivot = 1e-9;
    private const int PivotsBetweenRefactors = 100;

    private readonly int _columns;
    private readonly int _rows;
    private readonly int _stride;
    private readonly double[][] _matrix;
    private readonly double[] _right;
    private readonly double[] _cost;
    private readonly double[] _rowScale;
    private readonly double[] _columnScale;
    private readonly double _costScale;
    private readonly double[] _lower;
    private readonly double[] _upper;
    private readonly double[] _value;
    private readonly bool[] _atUpper;
    private readonly int[] _basic;
    private readonly int[] _outside;
    private readonly double[] _reduced;
    private readonly double[] _table;
    private int _pivots;
    private int _iterations;

    /// <summary>A programme at the basis of its slacks.</summary>
    /// <param name="cost">c, one number per column.</param>
    /// <param name="rows">a, one dense row each.</param>
    /// <param name="right">b.</param>
    /// <param name="slacks">Bounds of each row's slack: [0, inf) for at most, (-inf, 0] for at least, [0, 0] for equal.</param>
    /// <param name="bounds">Bounds of each column; at least one of the two is finite.</param>
    public BoundedSimplex(
        IReadOnlyList<double> cost, IReadOnlyList<double[]> rows, IReadOnlyList<double> right,
        IReadOnlyList<(double Lower, double Upper)> slacks, IReadOnlyList<(double Lower, double Upper)> bounds)
    {
        (_columns, _rows, _stride) = (cost.Count, rows.Count, cost.Count + 1);
        (_rowScale, _columnScale) = SimplexScale.Of(rows, _columns);
        _matrix = [.. rows.Select((row, i) => Scaled(row, _rowScale[i]))];
        _right = [.. right.Select((b, i) => b * _rowScale[i])];
        _cost = [.. cost.Select((c, j) => c * _columnScale[j])];
        _costScale = SimplexScale.Middle(_cost);
        for (var j = 0; j < _columns; j++)
            _cost[j] *= _costScale;
        (_lower, _upper) = (new double[_columns + _rows], new double[_columns + _rows]);
        (_value, _atUpper) = (new double[_columns + _rows], new bool[_columns + _rows]);
        (_basic, _outside) = (new int[_rows], new int[_columns]);
        (_table, _reduced) = (new double[_rows * _stride], new double[_stride]);
        for (var j = 0; j < _columns; j++)
            Bound(j, bounds[j].Lower, bounds[j].Upper);
        for (var i = 0; i < _rows; i++)
            (_lower[_columns + i], _upper[_columns + i]) = (slacks[i].Lower * _rowScale[i], slacks[i].Upper * _rowScale[i]);
        Start();
    }

    /// <summary>Value of the objective at the last answer.</summary>
    public double Objective => ScaledObjective() / _costScale;

    /// <summary>Pivots and bound flips of all solves.</summary>
    public long Iterations { get; private set; }

    /// <summary>Sets the bounds of a column for the next solve.</summary>
    public void Bound(int column, double lower, double upper)
    {
        _lower[column] = lower / _columnScale[column];
        _upper[column] = upper / _columnScale[column];
    }

    /// <summary>Value of a column at the last answer.</summary>
    public double Value(int column) => _value[column] * _columnScale[column];

    /// <summary>By how much the objective changes per unit of a row's right-hand side, at the last answer.</summary>
    public double ShadowPrice(int row)
    {
        var at = Array.IndexOf(_outside, _columns + row);
        return at < 0 ? 0 : -_reduced[at] * _rowScale[row] / _costScale;
    }

    /// <summary>By how much the objective grows per unit by which a column leaves its bound; 0 for columns in the basis.</summary>
    public void ReducedCosts(double[] into)
    {
        Array.Clear(into);
        for (var j = 0; j < _columns; j++)
        {
            if (_outside[j] < _columns)
                into[_outside[j]] = _reduced[j] / _costScale / _columnScale[_outside[j]];
        }
    }

    /// <summary>Solves from the last basis.</summary>
    /// <param name="cutoff">An optimum above this is of no interest.</param>
    public SimplexStatus Solve(double cutoff = double.PositiveInfinity)
    {
        if (_pivots > PivotsBetweenRefactors)
            Refactor();
        for (var attempt = 0; ; attempt++)
        {
            var status = Attempt(cutoff * _costScale);
            if (attempt == 2 || (status != SimplexStatus.Stalled && Trusted(status)))
                return status;
            if (attempt == 0)
                Refactor();
            else
                Start();
        }
    }

    private SimplexStatus Attempt(double cutoff)
    {
        for (var v = 0; v < _columns; v++)
        {
            if (_lower[v] > _upper[v])
                return SimplexStatus.Infeasible;
        }

        _iterations = 0;
        if (Place())
        {
            var ended = Dual(cutoff);
            if (ended != SimplexStatus.Optimal || DualFeasible())
                return ended;
        }
        else
        {
            Array.Clear(_reduced);
            var feasible = Dual(double.PositiveInfinity);
            if (feasible != SimplexStatus.Optimal)
                return feasible;
            Price();
        }

        return Primal();
    }

    /// <summary>Whether the tableau is fresh, or the answer satisfies the rows as they were given.</summary>
    private bool Trusted(SimplexStatus status)
    {
        if (_pivots == 0 || status == SimplexStatus.CutOff)
            return true;
        if (status == SimplexStatus.Infeasible)
            return _proven;
        for (var i = 0; i < _rows; i++)
        {
            var (sum, size) = (_value[_columns + i] - _right[i], 1 + Math.Abs(_right[i]));
            var row = _matrix[i];
            for (var j = 0; j < row.Length; j++)
            {
                var term = row[j] * _value[j];
                sum += term;
                size = Math.Max(size, Math.Abs(term));
            }

            if (Math.Abs(sum) > 10 * Tolerance * size)
                return false;
        }

        return true;
    }

    /// <summary>The basis of all slacks.</summary>
    private void Start()
    {
        for (var i = 0; i < _rows; i++)
            _basic[i] = _columns + i;
        for (var j = 0; j < _columns; j++)
            _outside[j] = j;
        Fill();
        Price();
        _pivots = 0;
    }

    private void Fill()
    {
        for (var i = 0; i < _rows; i++)
        {
            _matrix[i].CopyTo(_table, i * _stride);
            _table[(i * _stride) + _columns] = _right[i];
        }
    }

    /// <summary>The tableau of the present basis, made from the rows: each column takes the row of its largest pivot.</summary>
    private void Refactor()
    {
        var wanted = _basic.Where(v => v < _columns).Order().ToList();
        var stays = _basic.Where(v => v >= _columns).ToHashSet();
        for (var i = 0; i < _rows; i++)
            _basic[i] = _columns + i;
        for (var j = 0; j < _columns; j++)
            _outside[j] = j;
        Fill();
        foreach (var column in wanted)
        {
            var (row, best) = (-1, LeastPivot);
            for (var i = 0; i < _rows; i++)
            {
                var size = Math.Abs(_table[(i * _stride) + column]);
                if (_basic[i] >= _columns && !stays.Contains(_basic[i]) && size > best)
                    (row, best) = (i, size);
            }

            if (row >= 0)
                Exchange(row, column);
        }

        Price();
        _pivots = 0;
    }

    /// <summary>Puts the column into the basis in place of the row's.</summary>
    private void Exchange(int row, int column)
    {
        var pivot = _table.AsSpan(row * _stride, _stride);
        var inverse = 1 / pivot[column];
        pivot[column] = 1;
        for (var j = 0; j < pivot.Length; j++)
            pivot[j] *= inverse;
        for (var i = 0; i < _rows; i++)
        {
            if (i != row)
                Eliminate(_table.AsSpan(i * _stride, _stride), pivot, column);
        }

        Eliminate(_reduced, pivot, column);
        (_basic[row], _outside[column]) = (_outside[column], _basic[row]);
        _pivots++;
    }

    private static void Eliminate(Span<double> row, ReadOnlySpan<double> pivot, int column)
    {
        var factor = row[column];
        if (factor == 0)
            return;
        row[column] = 0;
        var (j, times) = (0, new Vector<double>(factor));
        for (; j <= row.Length - Vector<double>.Count; j += Vector<double>.Count)
            (new Vector<double>(row[j..]) - (times * new Vector<double>(pivot[j..]))).CopyTo(row[j..]);
        for (; j < row.Length; j++)
            row[j] -= factor * pivot[j];
    }

    /// <summary>Reduced costs of the present basis.</summary>
    private void Price()
    {
        Array.Clear(_reduced);
        for (var j = 0; j < _columns; j++)
            _reduced[j] = Cost(_outside[j]);
        for (var i = 0; i < _rows; i++)
        {
            var cost = Cost(_basic[i]);
            for (var j = 0; cost != 0 && j < _columns; j++)
                _reduced[j] -= cost * _table[(i * _stride) + j];
        }
    }

    private double Cost(int variable) => variable < _columns ? _cost[variable] : 0;

    private double ScaledObjective()
    {
        var sum = 0.0;
        for (var j = 0; j < _columns; j++)
            sum += _cost[j] * _value[j];
        return sum;
    }

    private double[] Scaled(double[] row, double factor) => [.. row.Select((value, j) => value * factor * _columnScale[j])];
}
