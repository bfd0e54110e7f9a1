using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>Asks the admin API of a running gateway; what it refuses is a refusal of the verb.</summary>
internal sealed class AdminClient(Uri address, string key)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Asks, and reads the answer; an empty object where there is none.</summary>
    /// <param name="method">"GET".</param>
    /// <param name="path">Below /admin/v1: "keys".</param>
    /// <param name="body">What to send; null for nothing.</param>
    /// <exception cref="Refusal">Nobody answers there, or the gateway refuses.</exception>
    public JsonElement Ask(string method, string path, JsonObject? body = null) => Ask(method, path, body, out _);

    /// <summary>The same, and says whether something was made that was not there.</summary>
    public JsonElement Ask(string method, string path, JsonObject? body, out bool made)
    {
        try
        {
            using var way = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }; // the key goes to the gateway alone
            using var http = new HttpClient(way) { Timeout = Patience };
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, "/admin/v1/" + path));
            if (!AuthenticationHeaderValue.TryParse("Bearer " + key, out var bearer))
                throw new Refusal("admin key", "holds what no key holds", "Check that it was copied whole");
            request.Headers.Authorization = bearer;
            if (body is not null)
                request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = http.Send(request);
            using var text = new StreamReader(response.Content.ReadAsStream());
            made = response.StatusCode == HttpStatusCode.Created;
            return Read(response.StatusCode, text.ReadToEnd());
        }
        catch (HttpRequestException failure)
        {
            throw Nobody(failure.InnerException?.Message ?? failure.Message);
        }
        catch (TaskCanceledException)
        {
            throw Nobody($"no answer within {Patience.TotalSeconds:0} s");
        }
    }

    /// <summary>A name as a part of an address.</summary>
    public static string Part(string name) => Uri.EscapeDataString(name);

    private Refusal Nobody(string why) => new(
        "admin API",
        $"--admin is {address}, where no gateway answers: {why.TrimEnd('.')}",
        "Start one with 'tokenfactory serve', or name the admin address that it printed");

    private JsonElement Read(HttpStatusCode status, string text)
    {
        JsonElement answer;
        try
        {
            answer = JsonDocument.Parse(text.Length == 0 ? "{}" : text).RootElement;
        }
        catch (JsonException)
        {
            throw Nobody($"what does answers {(int)status} without JSON");
        }

        if ((int)status is >= 200 and < 300)
            return answer;
        if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("error", out var said) && said.ValueKind == JsonValueKind.Object && said.TryGetProperty("type", out _))
        {
            const string remedy = "Name the admin address that 'tokenfactory serve' printed, http://127.0.0.1:8081 unless told otherwise";
            throw new Refusal("admin API", $"--admin is {address}, which is an address for clients", remedy);
        }

        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("error", out var error)
            || !error.TryGetProperty("mistakes", out var mistakes))
            throw Nobody($"what does answers {(int)status}");
        if (status == HttpStatusCode.Unauthorized)
            throw new Refusal("admin key", $"is not that of {address}", "The gateway keeps it in the file admin-key in its store's folder");
        throw new Refusal(mistakes.GetArrayLength() > 0
            ? [.. mistakes.EnumerateArray().Select(each => Flagged(Text(each, "field"), Text(each, "message")))]
            : [Split("admin API", Text(error, "message"))]);
    }

    /// <summary>A mistake of a field as one of the flag that set it.</summary>
    private static Mistake Flagged(string field, string message)
    {
        var flag = field switch { "expires_in_s" => "--expires", "grace_s" => "--grace", _ => "--" + field.Replace('_', '-') };
        var remedy = field == "expires" ? "Give 30d, 12h, 45m, or a time such as" : "Give a time such as";
        return Split("command line", message
            .Replace($"'{field}'", flag)
            .Replace(", or null for none", ", or 'none' for no limit")
            .Replace(", or null for no limit", ", or 'none' for no limit")
            .Replace("Give a time such as", remedy));
    }

    /// <summary>A message as a mistake; where it names a listing of the API, in words of the command line.</summary>
    private static Mistake Split(string where, string message)
    {
        foreach (var list in (string[])["tenants", "replicas"])
            message = message.Replace($"GET /admin/v1/{list} lists", $"'tokenfactory {list}' lists");
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0
            ? new Mistake(where, message.TrimEnd('.'), "See 'tokenfactory --help'")
            : new Mistake(where, message[..end], message[(end + 2)..]);
    }

    private static string Text(JsonElement element, string field) => element.GetProperty(field).GetString() ?? "";
}
