using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>
/// Goes over JSON token by token, as Utf8JsonReader does with its default options, and takes and refuses the same (a test holds the two
/// together), but passes long strings with escapes several times as fast, short tokens twice as fast, and throws nothing.
/// </summary>
/// <remarks>After the first mistake reads fail, and no token is there. Bytes inside strings are not checked for UTF-8.</remarks>
internal ref struct JsonScanner
{
    /// <summary>Deepest nesting that is read: schemas of tools take some.</summary>
    public const int MostDepth = 128;

    private static readonly SearchValues<byte> EndsText =
        SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(control => (byte)control)]);

    private readonly ReadOnlySpan<byte> _json;
    private int _at;
    private int _depth;
    private UInt128 _objects;   // a bit for each container: whether it is an object; the innermost lowest
    private Expected _expected;
    private int _valueStart;
    private int _valueEnd;

    /// <summary>Begins at the first byte.</summary>
    /// <param name="json">One value, with white space around it.</param>
    /// <param name="insideObject">The bytes begin after the bracket that opens an object, or after one of its commas.</param>
    public JsonScanner(ReadOnlySpan<byte> json, bool insideObject = false)
    {
        _json = json;
        if (insideObject)
            (_depth, _objects, _expected) = (1, 1, Expected.NameOrClose);
    }

    /// <summary>What may come next.</summary>
    private enum Expected
    {
        Value,
        NameOrClose,
        ItemOrClose,
        CommaOrClose,
        End,
    }

    /// <summary>The token that was read last; None before the first, and after a mistake.</summary>
    public JsonTokenType TokenType { get; private set; }

    /// <summary>It is not JSON, or nested too deep.</summary>
    public bool Failed { get; private set; }

    /// <summary>Offset of the token's first byte, the quote of strings.</summary>
    public int TokenStart { get; private set; }

    /// <summary>Offset after the token; after its colon where it is a name. After a mistake: where it is.</summary>
    public readonly int Consumed => _at;

    /// <summary>Objects and arrays around the token.</summary>
    public readonly int Depth => TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? _depth - 1 : _depth;

    /// <summary>The token as it stands there; of strings and names what is between the quotes.</summary>
    public readonly ReadOnlySpan<byte> Value => _json[_valueStart.._valueEnd];

    /// <summary>Whether a name is so and so, written plainly.</summary>
    public readonly bool Is(ReadOnlySpan<byte> name) => Value.SequenceEqual(name);

    /// <summary>Goes to the next token; false at the end, or where there is a mistake.</summary>
    public bool Read()
    {
        var next = Next();
        if (next < 0)
            return _expected != Expected.End && Fail();
        switch (_expected)
        {
            case Expected.Value:
                return ReadValue(next);
            case Expected.CommaOrClose when next == ',':
                _at++;
                next = Next();
                return (_objects & 1) == 0 ? ReadValue(next) : ReadName(next);
            case Expected.NameOrClose when next == '"':
                return ReadName(next);
            case Expected.ItemOrClose when next != ']':
                return ReadValue(next);
            case Expected.End:
                return Fail();
            default:
                return Close(next);
        }
    }

    /// <summary>Goes over the value that begins here, or follows the name here, to its last token.</summary>
    public void Skip()
    {
        if (TokenType == JsonTokenType.PropertyName && !Read())
            return;
        if (TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return;
        var outside = _depth - 1;
        while (_depth > outside && Read())
        {
            // to the bracket that closes it
        }
    }

    /// <summary>A number that is whole and written so.</summary>
    public readonly bool TryGetWhole(out long value) =>
        Utf8Parser.TryParse(Value, out value, out int used) && used == Value.Length && TokenType == JsonTokenType.Number;

    /// <summary>Any number, as near as can be.</summary>
    public readonly bool TryGetReal(out double value) =>
        Utf8Parser.TryParse(Value, out value, out int used) && used == Value.Length && TokenType == JsonTokenType.Number;

    /// <summary>A string without its escapes; false where they are no valid text (half a surrogate pair), or it is not UTF-8.</summary>
    public readonly bool TryGetText(out string text)
    {
        var reader = new Utf8JsonReader(_json[TokenStart.._at]);
        try
        {
            text = reader.Read() ? reader.GetString() ?? "" : "";
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    /// <summary>The first byte that is no white space, without taking it; -1 at the end.</summary>
    private int Next()
    {
        for (; _at < _json.Length; _at++)
        {
            var next = _json[_at];
            if (next > ' ' || next is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
                return next;
        }

        return -1;
    }

    private bool ReadName(int next)
    {
        if (next != '"' || !ReadString(JsonTokenType.PropertyName))
            return Fail();
        if (Next() != ':')
            return Fail();
        _at++;
        _expected = Expected.Value;
        return true;
    }

    private bool ReadValue(int next) => next switch
    {
        '"' => ReadString(JsonTokenType.String),
        '{' => Open(JsonTokenType.StartObject),
        '[' => Open(JsonTokenType.StartArray),
        't' => ReadWord("true"u8, JsonTokenType.True),
        'f' => ReadWord("false"u8, JsonTokenType.False),
        'n' => ReadWord("null"u8, JsonTokenType.Null),
        _ => ReadNumber(),
    };

    private bool Open(JsonTokenType token)
    {
        if (_depth == MostDepth)
            return Fail();
        var isObject = token == JsonTokenType.StartObject;
        _objects = (_objects << 1) | (isObject ? UInt128.One : UInt128.Zero);
        _depth++;
        Token(token, _at, _at, _at + 1);
        _at++;
        _expected = isObject ? Expected.NameOrClose : Expected.ItemOrClose;
        return true;
    }

    private bool Close(int next)
    {
        var isObject = (_objects & 1) != 0;
        if (next != (isObject ? '}' : ']'))
            return Fail();
        _objects >>= 1;
        _depth--;
        Token(isObject ? JsonTokenType.EndObject : JsonTokenType.EndArray, _at, _at, _at + 1);
        _at++;
        AfterValue();
        return true;
    }

    private bool ReadString(JsonTokenType token)
    {
        var at = _at + 1;
        while (true)
        {
            var length = _json[at..].IndexOfAny(EndsText);
            if (length < 0)
                return Fail();
            at += length;
            if (_json[at] == '"')
                break;
            var escape = EscapeLength(_json[at..]);
            if (escape == 0)
                return Fail();
            at += escape;
        }

        Token(token, _at, _at + 1, at);
        _at = at + 1;
        AfterValue();
        return true;
    }

    /// <summary>Bytes of the escape that begins here; 0 where there is none.</summary>
    private static int EscapeLength(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2 || rest[0] != '\\')
            return 0;
        if (rest[1] is (byte)'n' or (byte)'"' or (byte)'\\' or (byte)'t' or (byte)'r' or (byte)'/' or (byte)'b' or (byte)'f')
            return 2;
        if (rest[1] != 'u' || rest.Length < 6)
            return 0;
        return char.IsAsciiHexDigit((char)rest[2]) && char.IsAsciiHexDigit((char)rest[3])
            && char.IsAsciiHexDigit((char)rest[4]) && char.IsAsciiHexDigit((char)rest[5])
                ? 6
                : 0;
    }

    private bool ReadWord(ReadOnlySpan<byte> word, JsonTokenType token)
    {
        if (!_json[_at..].StartsWith(word))
            return Fail();
        Token(token, _at, _at, _at + word.Length);
        _at += word.Length;
        AfterValue();
        return true;
    }

    private bool ReadNumber()
    {
        var at = _at;
        if (at < _json.Length && _json[at] == '-')
            at++;
        var leading = at;
        if (!Digits(ref at) || (_json[leading] == '0' && at > leading + 1))
            return Fail();
        if (at < _json.Length && _json[at] == '.')
        {
            at++;
            if (!Digits(ref at))
                return Fail();
        }

        if (at < _json.Length && _json[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (at < _json.Length && _json[at] is (byte)'+' or (byte)'-')
                at++;
            if (!Digits(ref at))
                return Fail();
        }

        Token(JsonTokenType.Number, _at, _at, at);
        _at = at;
        AfterValue();
        return true;
    }

    /// <summary>Goes over digits; false where there are none.</summary>
    private readonly bool Digits(ref int at)
    {
        var from = at;
        while (at < _json.Length && (uint)(_json[at] - '0') <= 9)
            at++;
        return at > from;
    }

    private void Token(JsonTokenType token, int start, int valueStart, int valueEnd)
    {
        TokenType = token;
        TokenStart = start;
        _valueStart = valueStart;
        _valueEnd = valueEnd;
    }

    private void AfterValue() => _expected = _depth == 0 ? Expected.End : Expected.CommaOrClose;

    private bool Fail()
    {
        Failed = true;
        TokenType = JsonTokenType.None;
        (_valueStart, _valueEnd) = (0, 0);
        _expected = Expected.End;   // and whatever is left is a mistake again
        return false;
    }
}
