using System.Text;
using System.Text.RegularExpressions;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>
/// Every block of output in the documentation is what the program prints: it stands below a comment that names the command.
/// ./check --docs writes the blocks anew.
/// </summary>
public sealed partial class DocumentationTests
{
    private const int Width = 110;
    private static readonly bool Write = Environment.GetEnvironmentVariable("TOKENFACTORY_WRITE_DOCS") is { Length: > 0 };

    public static TheoryData<string> Pages() =>
        [.. Directory.EnumerateFiles(Repository.Path("docs"), "*.md", SearchOption.AllDirectories)
            .Append(Repository.Path("README.md"))
            .Append(Repository.Path("examples", "README.md"))
            .Where(File.Exists)
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Shows_what_the_program_prints(string page)
    {
        var text = Repository.Text(page);
        var printed = Block().Replace(text, block => $"{block.Groups["head"].Value}{Output(block.Groups["command"].Value)}```");
        if (Write && printed != text)
            File.WriteAllText(Repository.Path(page), printed);
        else
            Assert.Equal(text, printed);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Repository.Path(page))!;
        var links = Link().Matches(Repository.Text(page)).Select(match => match.Groups["to"].Value).Where(to => !to.Contains("://", StringComparison.Ordinal));
        Assert.All(links, to => Assert.True(Path.Exists(Path.Combine(folder, to.Split('#')[0])), $"{page} links to {to}, which is not there"));
    }

    [Theory]
    [InlineData("price", "./tokenfactory price --model llama-3.1-70b", "")]
    [InlineData("simulate", "./tokenfactory simulate examples/simulate-chat.yaml", "\nTenants\n")]
    [InlineData("serve", "./tokenfactory serve", "")]
    public void The_readme_shows_a_picture_of_real_output(string name, string command, string until)
    {
        var picture = Repository.Path("docs", "images", name + ".svg");
        var output = Output(command);
        var drawn = Picture(command, until.Length > 0 ? output[..output.IndexOf(until, StringComparison.Ordinal)] : output);
        if (Write)
            File.WriteAllText(picture, drawn);
        Assert.Equal(drawn, File.ReadAllText(picture));
        Assert.Contains($"docs/images/{name}.svg", Repository.Text("README.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_verb_has_a_guide_that_runs_it()
    {
        Assert.All(new[] { "price", "billing", "factory", "predict", "workload", "simulate", "plan", "audit", "calibrate", "catalog", "serve", "report", "replay" }, verb =>
        {
            var runs = Block().Matches(Repository.Text("docs", "guide", verb + ".md")).Count(block => block.Groups["command"].Value.Contains($"tokenfactory {verb}", StringComparison.Ordinal));
            Assert.True(runs >= 2, $"docs/guide/{verb}.md shows {runs} runs of its verb");
        });
    }

    [GeneratedRegex(@"(?<head><!-- output of: (?<command>[^\n]*?) -->\n```text\n)(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex Link();

    private static string Output(string command)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("./tokenfactory", words[0]);
        if (words is [_, "serve"])
            return Serve.FirstGreeting.Text;
        var outcome = Program.RunIn(Width, Program.NoCatalog, words[1..]);
        var progress = outcome.Code != 2; // who answers says on standard error how long it took; who cannot says why
        return (progress ? outcome.Out : outcome.Out + outcome.Err).TrimEnd('\n') + "\n";
    }

    /// <summary>The text of a terminal as an SVG picture, readable on light and dark pages.</summary>
    private static string Picture(string command, string output)
    {
        const int LineHeight = 18;
        var lines = output.TrimEnd('\n').Split('\n').Prepend("$ " + command).ToList();
        var svg = new StringBuilder();
        svg.Append($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {(lines.Max(line => line.Length) * 8) + 32} {(lines.Count * LineHeight) + 32}\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\">\n");
        svg.Append("<title>Output of ").Append(Escape(command)).Append("</title>\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n");
        var answered = lines.IndexOf("");
        for (var i = 0; i < lines.Count; i++)
        {
            var colour = i == 0 ? "#7ee787" : i < answered ? "#ffffff" : "#c9d1d9";
            svg.Append($"<text x=\"16\" y=\"{28 + (i * LineHeight)}\" fill=\"{colour}\" xml:space=\"preserve\" textLength=\"{lines[i].Length * 8}\">{Escape(lines[i])}</text>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
