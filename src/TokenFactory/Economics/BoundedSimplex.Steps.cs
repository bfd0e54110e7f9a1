namespace TokenFactory.Economics;

/// <summary>The dual and the primal method.</summary>
internal sealed partial class BoundedSimplex
{
    private int PatienceBeforeBland => 50 + _rows; // pivots without gain

    private bool _proven;

    private int MostIterations => 2000 + (20 * (_columns + _rows));

    /// <summary>Puts every column outside the basis on the bound that its reduced cost asks for, and computes the basis.</summary>
    /// <returns>Whether that bound exists everywhere.</returns>
    private bool Place()
    {
        var feasible = true;
        for (var j = 0; j < _columns; j++)
        {
            var v = _outside[j];
            var up = _reduced[j] < -Tolerance || (_reduced[j] <= Tolerance && _atUpper[v]);
            if (up && double.IsPositiveInfinity(_upper[v]))
                (up, feasible) = (false, feasible && _reduced[j] >= -Tolerance);
            else if (!up && double.IsNegativeInfinity(_lower[v]))
                (up, feasible) = (true, feasible && _reduced[j] <= Tolerance);
            _atUpper[v] = up;
            _value[v] = up ? _upper[v] : _lower[v];
        }

        ComputeBasis();
        return feasible;
    }

    private void ComputeBasis()
    {
        for (var i = 0; i < _rows; i++)
        {
            var row = _table.AsSpan(i * _stride, _stride);
            var value = row[_columns];
            for (var j = 0; j < _columns; j++)
                value -= row[j] * _value[_outside[j]];
            _value[_basic[i]] = value;
        }
    }

    private bool DualFeasible()
    {
        for (var j = 0; j < _columns; j++)
        {
            if (Attraction(j) > Tolerance)
                return false;
        }

        return true;
    }

    /// <summary>By how much the objective falls per unit by which a column leaves its bound; below zero where it rises.</summary>
    private double Attraction(int column)
    {
        var v = _outside[column];
        if (_lower[v] == _upper[v])
            return double.NegativeInfinity;
        return _atUpper[v] ? _reduced[column] : -_reduced[column];
    }

    private SimplexStatus Dual(double cutoff)
    {
        var (best, waited) = (double.NegativeInfinity, 0);
        while (true)
        {
            if (++_iterations > MostIterations)
                return SimplexStatus.Stalled;
            var bland = waited > PatienceBeforeBland;
            var row = DualLeaving(bland);
            if (row < 0)
                return SimplexStatus.Optimal;
            var below = _value[_basic[row]] < _lower[_basic[row]];
            var column = DualEntering(row, below, bland);
            if (column < 0)
            {
                _proven = ProvesInfeasible(row, below);
                return SimplexStatus.Infeasible;
            }

            var target = below ? _lower[_basic[row]] : _upper[_basic[row]];
            Move(row, column, (_value[_basic[row]] - target) / _table[(row * _stride) + column], !below);
            var objective = ScaledObjective();
            if (objective > cutoff)
                return SimplexStatus.CutOff;
            waited = objective > best + (1e-12 * (1 + Math.Abs(best))) ? 0 : waited + 1;
            best = Math.Max(best, objective);
        }
    }

    /// <summary>The row furthest outside its bounds (with Bland's rule: of the lowest number); below zero where there is none.</summary>
    private int DualLeaving(bool bland)
    {
        var (row, most) = (-1, 0.0);
        for (var i = 0; i < _rows; i++)
        {
            var v = _basic[i];
            var (value, bound) = (_value[v], _value[v] < _lower[v] ? _lower[v] : _upper[v]);
            var outside = Math.Max(_lower[v] - value, value - _upper[v]);
            if (outside <= Tolerance * (1 + Math.Abs(bound)))
                continue;
            if (bland ? row < 0 || v < _basic[row] : outside > most)
                (row, most) = (i, outside);
        }

        return row;
    }

    /// <summary>Harris' test: within the tolerance of the least ratio, the largest pivot.</summary>
    private int DualEntering(int row, bool below, bool bland)
    {
        var pivots = _table.AsSpan(row * _stride, _stride);
        var least = double.PositiveInfinity;
        for (var j = 0; j < _columns; j++)
        {
            if (Helps(j, pivots[j], below))
                least = Math.Min(least, (Math.Abs(_reduced[j]) + (bland ? 0 : Tolerance)) / Math.Abs(pivots[j]));
        }

        var (column, best) = (-1, 0.0);
        for (var j = 0; j < _columns && least < double.PositiveInfinity; j++)
        {
            if (!Helps(j, pivots[j], below) || Math.Abs(_reduced[j]) / Math.Abs(pivots[j]) > least)
                continue;
            if (bland ? column < 0 || _outside[j] < _outside[column] : Math.Abs(pivots[j]) > best)
                (column, best) = (j, Math.Abs(pivots[j]));
        }

        return column;
    }

    /// <summary>Whether moving the column off its bound brings a row that lies below (or above) its bound nearer to it.</summary>
    private bool Helps(int column, double pivot, bool below)
    {
        var v = _outside[column];
        if (Math.Abs(pivot) <= LeastPivot || _lower[v] == _upper[v])
            return false;
        return pivot < 0 == (below != _atUpper[v]);
    }

    /// <summary>
    /// Whether the row's combination of the rows as they were given, taken with all columns at their best, stays outside the bound: so
    /// that an infeasible answer does not rest on a rounded tableau.
    /// </summary>
    private bool ProvesInfeasible(int row, bool below)
    {
        var weights = new double[_rows];
        for (var j = 0; j < _columns; j++)
        {
            if (_outside[j] >= _columns)
                weights[_outside[j] - _columns] = _table[(row * _stride) + j];
        }

        if (_basic[row] >= _columns)
            weights[_basic[row] - _columns] = 1;
        var sign = below ? 1 : -1;
        var (rest, size) = (0.0, 1.0);
        for (var i = 0; i < _rows; i++)
        {
            rest += sign * weights[i] * _right[i];
            size = Math.Max(size, Math.Abs(weights[i] * _right[i]));
        }

        for (var v = 0; v < _columns + _rows; v++)
        {
            var factor = sign * (v < _columns ? Combined(weights, v) : weights[v - _columns]);
            if (Math.Abs(factor) <= LeastPivot)
                continue;
            rest -= factor * (factor > 0 ? _lower[v] : _upper[v]);
        }

        return rest < -Tolerance * size; // the least that the combination can be lies above what it must equal
    }

    private double Combined(double[] weights, int column)
    {
        var sum = 0.0;
        for (var i = 0; i < _rows; i++)
            sum += weights[i] * _matrix[i][column];
        return sum;
    }

    private SimplexStatus Primal()
    {
        var (best, waited) = (double.PositiveInfinity, 0);
        while (true)
        {
            if (++_iterations > MostIterations)
                return SimplexStatus.Stalled;
            var bland = waited > PatienceBeforeBland;
            var column = PrimalEntering(bland);
            if (column < 0)
                return SimplexStatus.Optimal;
            var v = _outside[column];
            var (row, step) = PrimalLeaving(column, bland);
            if (double.IsPositiveInfinity(step))
                return SimplexStatus.Unbounded;
            if (row < 0)
                Flip(column);
            else
                Move(row, column, _atUpper[v] ? -step : step, _table[(row * _stride) + column] < 0 != _atUpper[v]);
            var objective = ScaledObjective();
            waited = objective < best - (1e-12 * (1 + Math.Abs(best))) ? 0 : waited + 1;
            best = Math.Min(best, objective);
        }
    }

    private int PrimalEntering(bool bland)
    {
        var (column, most) = (-1, Tolerance);
        for (var j = 0; j < _columns; j++)
        {
            var attraction = Attraction(j);
            if (attraction <= Tolerance)
                continue;
            if (bland ? column < 0 || _outside[j] < _outside[column] : attraction > most)
                (column, most) = (j, attraction);
        }

        return column;
    }

    /// <summary>How far the column may go, and the row that stops it; no row where it reaches its own other bound first.</summary>
    private (int Row, double Step) PrimalLeaving(int column, bool bland)
    {
        var v = _outside[column];
        var (own, direction) = (_upper[v] - _lower[v], _atUpper[v] ? 1 : -1);
        var least = own;
        for (var i = 0; i < _rows; i++)
            least = Math.Min(least, Room(i, direction * _table[(i * _stride) + column], bland ? 0 : Tolerance));
        if (own <= least)
            return (-1, own);
        var (row, best) = (-1, 0.0);
        for (var i = 0; i < _rows; i++)
        {
            var rate = direction * _table[(i * _stride) + column];
            if (Math.Abs(rate) <= LeastPivot || Room(i, rate, 0) > least)
                continue;
            if (bland ? row < 0 || _basic[i] < _basic[row] : Math.Abs(rate) > best)
                (row, best) = (i, Math.Abs(rate));
        }

        return (row, row < 0 ? least : Math.Max(0, Room(row, direction * _table[(row * _stride) + column], 0)));
    }

    /// <summary>How far a row that changes at this rate is from its bound.</summary>
    private double Room(int row, double rate, double grace)
    {
        var v = _basic[row];
        if (Math.Abs(rate) <= LeastPivot)
            return double.PositiveInfinity;
        var room = rate > 0 ? _upper[v] - _value[v] : _value[v] - _lower[v];
        return Math.Max(0, room + grace) / Math.Abs(rate);
    }

    private void Flip(int column)
    {
        var v = _outside[column];
        _atUpper[v] = !_atUpper[v];
        Shift(column, (_atUpper[v] ? _upper[v] : _lower[v]) - _value[v]);
        Iterations++;
    }

    /// <summary>Moves a column by so much; the row's column then leaves the basis on its upper or lower bound.</summary>
    private void Move(int row, int column, double by, bool toUpper)
    {
        var leaving = _basic[row];
        Shift(column, by);
        _atUpper[leaving] = toUpper;
        _value[leaving] = toUpper ? _upper[leaving] : _lower[leaving];
        Exchange(row, column);
        Iterations++;
        if (_pivots > 2 * PivotsBetweenRefactors)
        {
            var phase = Array.TrueForAll(_reduced, value => value == 0);
            Refactor();
            if (phase)
                Array.Clear(_reduced);
            ComputeBasis();
        }
    }

    private void Shift(int column, double by)
    {
        _value[_outside[column]] += by;
        for (var i = 0; i < _rows; i++)
            _value[_basic[i]] -= _table[(i * _stride) + column] * by;
    }
}
