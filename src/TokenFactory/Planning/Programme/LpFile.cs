using System.Globalization;
using System.Text;

namespace TokenFactory.Planning.Programme;

/// <summary>A programme in the CPLEX LP format, which cbc, glpsol, HiGHS and others read: to check an answer with another solver.</summary>
public static class LpFile
{
    /// <summary>Writes a programme; variable number j is called v_j, row number i r_i.</summary>
    public static string Write(IntegerProgramme programme)
    {
        var text = new StringBuilder("Minimize\n obj:");
        Sum(text, [.. programme.Variables.Select((variable, j) => (j, variable.Cost)).Where(term => term.Cost != 0)]);
        text.Append("\nSubject To\n");
        for (var i = 0; i < programme.Rows.Count; i++)
        {
            var row = programme.Rows[i];
            text.Append(CultureInfo.InvariantCulture, $" r_{i}:");
            Sum(text, row.Terms);
            var sense = row.Sense switch { RowSense.AtMost => " <= ", RowSense.AtLeast => " >= ", _ => " = " };
            text.Append(sense).Append(Number(row.Right)).Append('\n');
        }

        text.Append("Bounds\n");
        for (var j = 0; j < programme.Variables.Count; j++)
        {
            var (lower, upper) = (programme.Variables[j].Lower, programme.Variables[j].Upper);
            text.Append(CultureInfo.InvariantCulture, $" {Number(lower)} <= v_{j}");
            text.Append(double.IsPositiveInfinity(upper) ? "\n" : $" <= {Number(upper)}\n");
        }

        text.Append("Generals\n");
        for (var j = 0; j < programme.Variables.Count; j++)
        {
            if (programme.Variables[j].Whole)
                text.Append(CultureInfo.InvariantCulture, $" v_{j}\n");
        }

        return text.Append("End\n").ToString();
    }

    private static void Sum(StringBuilder text, IReadOnlyList<(int Variable, double Factor)> terms)
    {
        for (var k = 0; k < terms.Count; k++)
        {
            var (variable, factor) = terms[k];
            text.Append(k > 0 && k % 10 == 0 ? "\n  " : " ").Append(factor < 0 ? "- " : "+ ");
            text.Append(CultureInfo.InvariantCulture, $"{Number(Math.Abs(factor))} v_{variable}");
        }

        if (terms.Count == 0)
            text.Append(" 0 v_0");
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
