using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace TokenFactory.Tests.Laws;

/// <summary>A project knows the next one down; inside the gateway a folder may use only what its row of docs/ARCHITECTURE.md lists.</summary>
public sealed partial class ProjectArrowTests
{
    private static readonly string[] Projects = ["TokenFactory.Cli", "TokenFactory.Gateway", "TokenFactory.Store", "TokenFactory"];

    [Fact]
    public void Each_project_knows_the_next_one_down_and_no_other()
    {
        Assert.Equal(Projects.Order(StringComparer.Ordinal), Directory.GetDirectories(Repository.Path("src")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var (project, next) in Projects.Zip(Projects.Skip(1).Append(null)))
        {
            var known = XDocument.Load(Repository.Path("src", project, project + ".csproj")).Descendants("ProjectReference").Select(one => Path.GetFileNameWithoutExtension((string)one.Attribute("Include")!));
            Assert.Equal(next is null ? [] : [next], known);
        }

        Assert.Contains($"`{string.Join(" -> ", Projects)}`", Repository.Text("docs", "ARCHITECTURE.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_of_the_gateway_use_only_what_their_row_lists()
    {
        var rows = Row().Matches(Table().Match(Repository.Text("docs", "ARCHITECTURE.md")).Value)
            .ToDictionary(row => row.Groups["folder"].Value, row => row.Groups["uses"].Value.Split(", "), StringComparer.Ordinal);
        var source = Repository.Path("src", "TokenFactory.Gateway");
        var files = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(source, file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal)).ToList();
        Assert.Equal(files.Select(Folder).Distinct().Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        var wrong = from file in files
                    from Match name in Name().Matches(File.ReadAllText(Path.Combine(source, file)))
                    let used = name.Groups["folder"].Value
                    where used != Folder(file) && !rows[Folder(file)].Contains(used)
                    select $"{file} uses {used}";
        Assert.Empty(wrong);
        var order = rows.Keys.ToList();
        Assert.All(rows, row => Assert.All(row.Value.Where(used => used != "nothing"), used => Assert.True(order.IndexOf(used) > order.IndexOf(row.Key), $"{row.Key} -> {used}")));
    }

    private static string Folder(string file) => file[..file.IndexOf('/')];

    [GeneratedRegex("Inside the gateway.*?```text\n(?<rows>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Table();

    [GeneratedRegex(@"^ *(?<folder>\w+) +-> (?<uses>[\w, ]+?) *$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\bTokenFactory\.Gateway\.(?<folder>\w+)")]
    private static partial Regex Name();
}
