using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;
using TokenFactory.Gateway.Admin;
using TokenFactory.Gateway.Tests.Tenants;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Tests.Admin;

public sealed class OpenApiTests
{
    private static readonly JsonElement Document = JsonDocument.Parse(OpenApi.Json).RootElement;

    [Fact]
    public void The_document_is_valid_OpenAPI()
    {
        var read = OpenApiDocument.Parse(Encoding.UTF8.GetString(OpenApi.Json.Span), "json");
        Assert.NotNull(read.Document);
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        Assert.Empty(read.Document.Validate(ValidationRuleSet.GetDefaultRuleSet()));
        Assert.All(References(Document), to => Assert.True(Exists(to), $"{to} is not there"));
    }

    [Fact]
    public async Task Every_route_of_the_admin_API_is_in_it_and_no_other()
    {
        await using var server = await AdminServer.StartAsync();
        var mapped = server.Routes.Where(route => !route.RoutePattern.RawText!.Contains("**", StringComparison.Ordinal))
            .Select(route => $"{route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]} {route.RoutePattern.RawText}");
        var told = from path in Document.GetProperty("paths").EnumerateObject()
                   from operation in path.Value.EnumerateObject()
                   where operation.Value.ValueKind == JsonValueKind.Object && operation.Value.GetProperty("tags")[0].GetString() == "admin"
                   select $"{operation.Name.ToUpperInvariant()} {path.Name}";
        Assert.Equal(told.Order(StringComparer.Ordinal), mapped.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Answers_have_the_fields_that_it_tells_and_no_other()
    {
        await using var server = await AdminServer.StartAsync(Books.Tenant(new TenantRecord("acme")));
        var (_, made) = await server.AskAsync("POST", "/admin/v1/keys", """{"tenant": "acme"}""");
        Fits("NewKey", made);
        Fits("Key", made.GetProperty("record"));
        Fits("Tenant", (await server.AskAsync("GET", "/admin/v1/tenants/acme")).Body);
        Fits("Replica", (await server.AskAsync("GET", "/admin/v1/replicas")).Body.GetProperty("replicas")[0]);
        Fits("TenantUsage", (await server.AskAsync("GET", "/admin/v1/usage")).Body.GetProperty("usage")[0]);
        Fits("Status", (await server.AskAsync("GET", "/admin/v1/status")).Body);
        Fits("AdminError", (await server.AskAsync("GET", "/admin/v1/tenants/nobody")).Body);
        Assert.Equal(Document.GetRawText(), (await server.AskAsync("GET", "/openapi.json")).Body.GetRawText());
        foreach (var (schema, path, method) in new[]
        {
            ("TenantFields", "/admin/v1/tenants/acme2", "PUT"), ("KeyFields", "/admin/v1/keys", "POST"),
            ("RotateFields", $"/admin/v1/keys/{made.GetProperty("record").GetProperty("id").GetString()}/rotate", "POST"),
        })
        {
            var (_, refused) = await server.AskAsync(method, path, """{"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz": 1}""");
            var mistakes = refused.GetProperty("error").GetProperty("mistakes").EnumerateArray();
            var message = mistakes.Select(each => each.GetProperty("message").GetString()!)
                .Single(each => each.Contains("Known: ", StringComparison.Ordinal));
            var told = Schema(schema).GetProperty("properties").EnumerateObject().Select(each => each.Name);
            Assert.Equal(told.Order(StringComparer.Ordinal), message.Split("Known: ")[1].TrimEnd('.').Split(", "));
        }
    }

    private static void Fits(string name, JsonElement answer)
    {
        var fields = Schema(name).GetProperty("properties");
        Assert.Equal(
            fields.EnumerateObject().Select(each => each.Name).Order(StringComparer.Ordinal),
            answer.EnumerateObject().Select(each => each.Name).Order(StringComparer.Ordinal));
        Assert.All(answer.EnumerateObject(), field => Assert.True(
            !fields.GetProperty(field.Name).TryGetProperty("type", out var type)
            || Kinds(field.Value).Any(kind => type.GetRawText().Contains($"\"{kind}\"", StringComparison.Ordinal)),
            $"{name}.{field.Name} is {field.Value.GetRawText()}"));
    }

    private static string[] Kinds(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetInt64(out _) ? ["integer", "number"] : ["number"],
        JsonValueKind.True or JsonValueKind.False => ["boolean"],
        var kind => [kind.ToString().ToLowerInvariant()],
    };

    private static JsonElement Schema(string name) => Document.GetProperty("components").GetProperty("schemas").GetProperty(name);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(
            field => field.Name == "$ref" ? [field.Value.GetString()!] : References(field.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static bool Exists(string reference)
    {
        var at = Document;
        return reference.Split('/').Skip(1).All(part => at.TryGetProperty(part, out at));
    }
}
