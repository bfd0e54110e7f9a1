using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>Inside the library a folder may use only what its row of docs/ARCHITECTURE.md lists.</summary>
public sealed partial class ArrowTests
{
    private static readonly (string Folder, string[] MayUse)[] Arrows =
    [
        ("Planning", ["Simulation", "Engine", "Policies", "Fleet", "Economics", "Performance", "Workload", "Catalog", "Units"]),
        ("Simulation", ["Engine", "Workload", "Policies", "Fleet", "Performance", "Economics", "Catalog", "Units"]),
        ("Policies", ["Fleet", "Performance", "Units"]),
        ("Engine", ["Performance", "Workload", "Units"]),
        ("Fleet", ["Performance", "Units"]),
        ("Economics", ["Catalog", "Units"]),
        ("Performance", ["Catalog", "Units"]),
        ("Workload", ["Units"]),
        ("Catalog", ["Units"]),
        ("Units", []),
    ];

    private static readonly Dictionary<string, string[]> MayUse = Arrows.ToDictionary(row => row.Folder, row => row.MayUse);
    private static readonly Assembly Library = typeof(Watts).Assembly;
    private static readonly string Source = Repository.Path("src", "TokenFactory");

    [Fact]
    public void Arrows_point_down()
    {
        var order = Arrows.Select(row => row.Folder).ToList();
        Assert.All(Arrows, row => Assert.All(row.MayUse, used => Assert.True(order.IndexOf(used) > order.IndexOf(row.Folder), $"{row.Folder} -> {used}")));
    }

    [Fact]
    public void Every_folder_of_the_library_is_in_the_table_and_holds_its_own_namespace()
    {
        var files = SourceFiles().ToList();
        Assert.NotEmpty(files);
        Assert.Empty(files.Where(file => !MayUse.ContainsKey(Folder(file))).Select(file => $"{file}: not in a folder of the table"));
        Assert.Empty(files.Where(file => !Regex.IsMatch(Code(file), $@"^namespace TokenFactory\.{NamespaceOf(file)};", RegexOptions.Multiline, TimeSpan.FromSeconds(5)))
            .Select(file => $"{file}: namespace is not TokenFactory.{NamespaceOf(file)}"));
        Assert.Empty(Library.GetTypes().Where(type => type.Namespace is not null && Written(type) && FolderOf(type) is null)
            .Select(type => type.FullName));
    }

    [Fact]
    public void Sources_name_only_what_their_folder_may_use()
    {
        var wrong = from file in SourceFiles()
                    from Match name in QualifiedName().Matches(Code(file))
                    let used = name.Groups["folder"].Value
                    where used != Folder(file) && !MayUse[Folder(file)].Contains(used)
                    select $"{file} names {name.Value}";
        Assert.Empty(wrong);
        Assert.Contains(SourceFiles(),
            file => QualifiedName().Matches(Code(file)).Any(name => name.Groups["folder"].Value == "Units" && Folder(file) != "Units"));
    }

    [Fact]
    public void Compiled_types_use_only_what_their_folder_may_use()
    {
        var uses = (from type in Library.GetTypes()
                    let folder = FolderOf(type)
                    where folder is not null
                    from used in Mentioned(type).SelectMany(Parts).Where(part => part.Assembly == Library).Distinct()
                    let other = FolderOf(used)
                    where other is not null && other != folder
                    select (Type: type, Used: used, From: folder, To: other)).ToList();
        Assert.Empty(uses.Where(use => !MayUse[use.From].Contains(use.To))
            .Select(use => $"{use.Type} ({use.From}) uses {use.Used} ({use.To})"));
        Assert.Contains(uses, use => use is { From: "Economics", To: "Catalog" }); // the walk sees arrows
    }

    [Fact]
    public void The_library_knows_no_other_project()
    {
        Assert.DoesNotContain(Library.GetReferencedAssemblies(), other => other.Name!.StartsWith("TokenFactory", StringComparison.Ordinal));
        Assert.Empty(Project().Descendants("ProjectReference"));
    }

    [Fact]
    public void Clocks_dice_files_and_threads_are_banned_by_the_compiler()
    {
        Assert.Contains(Project().Descendants("AdditionalFiles"), item => (string?)item.Attribute("Include") == "BannedSymbols.txt");
        Assert.Contains("Microsoft.CodeAnalysis.BannedApiAnalyzers", Repository.Text("Directory.Build.props"));
        Assert.Contains("dotnet_diagnostic.RS0030.severity = error", Repository.Text(".editorconfig"));
        var banned = Repository.Text("src", "TokenFactory", "BannedSymbols.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(banned, line => Assert.Matches(@"^[TPMF]:[\w.]+;\w.+", line));
        string[] wanted =
        [
            "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.UtcNow", "T:System.Diagnostics.Stopwatch", "T:System.Random",
            "T:System.Threading.Tasks.Task", "T:System.Threading.Thread", "T:System.IO.File", "T:System.Console",
        ];
        Assert.Empty(wanted.Except(banned.Select(line => line[..line.IndexOf(';')])));
    }

    [Fact]
    public void The_documentation_shows_the_row_of_every_folder()
    {
        var written = DocumentRow().Matches(Repository.Text("docs", "ARCHITECTURE.md"))
            .Select(row => (Folder: row.Groups["folder"].Value, Uses: row.Groups["uses"].Value))
            .Where(row => MayUse.ContainsKey(row.Folder)) // those of the gateway are another table
            .ToList();
        Assert.Equal(Directories(), written.Select(row => row.Folder).Intersect(Directories()).Order());
        Assert.All(written, row => Assert.Equal(string.Join(", ", MayUse[row.Folder]), row.Uses == "nothing" ? "" : row.Uses));
    }

    private static IEnumerable<string> Directories() => SourceFiles().Select(Folder).Distinct().Order();

    private static XDocument Project() => XDocument.Load(Path.Combine(Source, "TokenFactory.csproj"));

    private static IEnumerable<string> SourceFiles() =>
        Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Source, file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal));

    private static string Folder(string file) => file.Contains('/') ? file[..file.IndexOf('/')] : "";

    private static string NamespaceOf(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/').Replace('/', '.');

    private static string Code(string file) => Comment().Replace(File.ReadAllText(Path.Combine(Source, file)), "");

    private static string? FolderOf(Type type) =>
        type.Namespace?.Split('.') is ["TokenFactory", var folder, ..] && MayUse.ContainsKey(folder) ? folder : null;

    private static bool Written(Type type) =>
        !type.Name.StartsWith('<') && type.Namespace?.Split('.')[0] is not ("System" or "Microsoft");

    /// <summary>Every type that a type's declaration, members and instructions mention.</summary>
    private static IEnumerable<Type> Mentioned(Type type)
    {
        const BindingFlags Own =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var members = type.GetMembers(Own);
        var methods = members.OfType<MethodBase>().ToList();
        return new[] { type.BaseType }.OfType<Type>()
            .Concat(type.GetInterfaces())
            .Concat(type.GetCustomAttributesData().Select(attribute => attribute.AttributeType))
            .Concat(members.OfType<FieldInfo>().Select(field => field.FieldType))
            .Concat(methods.OfType<MethodInfo>().Select(method => method.ReturnType))
            .Concat(methods.SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType))
            .Concat(methods.SelectMany(Instructions));
    }

    private static IEnumerable<Type> Parts(Type type) => type switch
    {
        { HasElementType: true } => Parts(type.GetElementType()!),
        { IsGenericParameter: true } => type.GetGenericParameterConstraints().Where(part => !part.ContainsGenericParameters),
        { IsGenericType: true } => type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition()),
        _ => [type],
    };

    private static readonly Dictionary<short, OpCode> OpCodesByValue =
        typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private static IEnumerable<Type> Instructions(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body || body.GetILAsByteArray() is not { } il)
            yield break;
        foreach (var local in body.LocalVariables)
            yield return local.LocalType;
        for (var at = 0; at < il.Length;)
        {
            var code = il[at] == 0xFE ? OpCodesByValue[(short)(0xFE00 | il[at + 1])] : OpCodesByValue[il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                foreach (var type in Resolve(method, BitConverter.ToInt32(il, at)))
                    yield return type;
            }

            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type> Resolve(MethodBase method, int token)
    {
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var member = method.Module.ResolveMember(token, ofType, method.IsGenericMethod ? method.GetGenericArguments() : null);
        var arguments = member is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericArguments() : [];
        return [.. arguments, .. member is Type itself ? [itself] : member?.DeclaringType is { } declaring ? new[] { declaring } : []];
    }

    [GeneratedRegex(@"\bTokenFactory\.(?<folder>\w+)", RegexOptions.None, 5000)]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"//[^\n]*", RegexOptions.None, 5000)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^ *(?<folder>\w+) +-> (?<uses>[\w, ]+?) *$", RegexOptions.Multiline, 5000)]
    private static partial Regex DocumentRow();
}
