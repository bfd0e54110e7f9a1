using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Errors in OpenAI's shape.</summary>
public static class ApiError
{
    private const string QuotaCode = "insufficient_quota";

    // Read by people in terminals: quotation marks of names and letters of all scripts stay as they are.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body of an error: {"error":{"message","type","param","code"}} as UTF-8.</summary>
    /// <param name="status">HTTP status that it goes with.</param>
    /// <param name="message">One sentence that names the field, its value and the remedy.</param>
    /// <param name="param">The field; null where it is none.</param>
    /// <param name="code">What programs tell it by; null for none.</param>
    /// <param name="type">Its type; null for the one that <see cref="TypeOf"/> gives.</param>
    public static byte[] Json(int status, string message, string? param, string? code, string? type = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteStartObject("error"u8);
            json.WriteString("message"u8, message);
            json.WriteString("type"u8, type ?? TypeOf(status, code));
            json.WriteString("param"u8, param);
            json.WriteString("code"u8, code);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The type that clients expect with a status.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="code">"insufficient_quota" makes it that, as budgets and rates share a status.</param>
    public static string TypeOf(int status, string? code = null) => status switch
    {
        _ when code == QuotaCode => QuotaCode,
        401 => "authentication_error",
        402 => QuotaCode,
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 or 529 => "overloaded_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
