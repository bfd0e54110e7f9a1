using System.CommandLine;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>The flags of every verb that asks a running gateway.</summary>
internal sealed class AdminFlags
{
    public const string KeyVariable = "TOKENFACTORY_ADMIN_KEY";
    private const string DefaultAddress = "http://127.0.0.1:8081";
    private const string UsualFolder = ".tokenfactory";
    private const string KeyFile = "admin-key";

    private readonly Option<string> _address = new("--admin")
    {
        Description = "Address of the gateway's admin API.",
        HelpName = "URL",
        DefaultValueFactory = _ => DefaultAddress,
    };

    private readonly Option<string?> _key = new("--admin-key")
    {
        Description = $"Its key; other users may see it in the list of processes. Default: that in --store, else {KeyVariable}, else that in {UsualFolder}.",
        HelpName = "KEY",
    };

    private readonly Option<string?> _store = new("--store")
    {
        Description = $"Folder of the gateway's store, whose file {KeyFile} holds the key.",
        HelpName = "DIR",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print JSON for machines instead of tables." };

    public void AddTo(Command command)
    {
        command.Options.Add(_address);
        command.Options.Add(_key);
        command.Options.Add(_store);
        command.Options.Add(_json);
    }

    /// <summary>The gateway that the flags name.</summary>
    /// <exception cref="Refusal">The address is none, or no key is given.</exception>
    public AdminClient Client(ParseResult parsed)
    {
        var address = parsed.GetRequiredValue(_address);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new Refusal("command line", $"--admin is '{address}'", $"Give an address such as {DefaultAddress}");
        return new AdminClient(uri, Key(parsed));
    }

    public void Print(Report report, Terminal terminal, ParseResult parsed)
    {
        if (parsed.GetValue(_json))
            JsonOutput.Print(report, terminal.Out);
        else
            TextOutput.Print(report, terminal, false);
    }

    private string Key(ParseResult parsed)
    {
        var (key, store) = (parsed.GetValue(_key), parsed.GetValue(_store));
        if (key is not null && store is not null)
            throw new Refusal("command line", "gives both --admin-key and --store", "Leave out one of them");
        if (store is null && (key ?? Environment.GetEnvironmentVariable(KeyVariable)) is { } given && !string.IsNullOrWhiteSpace(given))
            return given.Trim();
        var file = Path.Combine(store ?? UsualFolder, KeyFile);
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            var elsewhere = store is null ? $"is given neither by --admin-key nor by --store nor by {KeyVariable}, and " : "";
            throw new Refusal(
                "admin key",
                $"{elsewhere}{file} cannot be read: {failure.Message.TrimEnd('.')}",
                $"The gateway wrote it at its first start to the file {KeyFile} in its store's folder");
        }
    }
}
