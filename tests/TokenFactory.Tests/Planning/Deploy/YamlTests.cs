using System.Text.Json.Nodes;
using TokenFactory.Planning.Deploy;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Deploy;

/// <summary>What the emitter writes, another parser reads back as it was.</summary>
public sealed class YamlTests
{
    private static readonly string[] Pieces =
    [
        "a", "Z9", "true", "NO", "null", "~", "1", "-1", "1e3", "0x1F", "1:30", "2026-11-21", ".5", "---",
        "- x", "a: b", "a #b", "#", "\"", "'", "\\", "{", "[",
        "*x", "&x", "!x", "%x", "@x", "`x", "|", ">", ",", "?", ":", " ", "  ", "\n", "\n\n", "\t", "\r", "\0",
        "\u0085", "\u2028", "\uFEFF", "é", "🚀", "=", "<<", "\u001b",
    ];

    [Fact]
    public void Any_document_reads_back_as_it_was() => Cases.Check(400, dice =>
    {
        var (doc, expected) = Draw(dice, 4);
        var text = Yaml.Write(doc, dice.Chance(0.3) ? Piece(dice) : null);
        Assert.True(JsonNode.DeepEquals(expected, YamlText.One(text)), text);
    });

    [Fact]
    public void Documents_stand_one_after_another()
    {
        var text = Yaml.Write([new DocMap { { "a", 1 } }, new DocList { "x", 2.5 }, new DocMap()]);
        Assert.Equal("a: 1\n---\n- x\n- 2.5\n---\n{}\n", text);
        Assert.Equal(3, YamlText.Documents(text).Count);
    }

    [Fact]
    public void Lines_stay_lines_and_remarks_stand_above()
    {
        var map = new DocMap { { "run", "set -e\nexec x\n", "Why.\nAnd how." } };
        Assert.Equal("# Why.\n# And how.\nrun: |\n  set -e\n  exec x\n", Yaml.Write(map));
    }

    [Fact]
    public void A_key_stands_once() => Assert.Throws<ArgumentException>(() => new DocMap { { "a", 1 }, { "a", 2 } });

    private static (Doc Doc, JsonNode? Expected) Draw(Dice dice, int depth)
    {
        if (depth > 0 && dice.Chance(0.35))
        {
            var (map, json) = (new DocMap(), new JsonObject());
            for (var i = dice.Whole(0, 4); i > 0; i--)
            {
                var (key, (value, expected)) = (Piece(dice), Draw(dice, depth - 1));
                if (map[key] is not null)
                    continue;
                map.Add(key, value, dice.Chance(0.2) ? Piece(dice) : null);
                json.Add(key, expected);
            }

            return (map, json);
        }

        if (depth > 0 && dice.Chance(0.4))
        {
            var (list, json) = (new DocList(), new JsonArray());
            for (var i = dice.Whole(0, 4); i > 0; i--)
            {
                var (item, expected) = Draw(dice, depth - 1);
                list.Add(item);
                json.Add(expected);
            }

            return (list, json);
        }

        var number = dice.Whole(-100, 100);
        var (text, truth) = (Piece(dice), dice.Chance(0.5));
        return dice.Whole(0, 4) switch
        {
            0 => (number, JsonValue.Create((long)number)),
            1 => (truth, JsonValue.Create(truth)),
            2 => (DocWord.Null, null),
            _ => (new DocText(text), JsonValue.Create(text)),
        };
    }

    private static string Piece(Dice dice) => string.Concat(dice.Many(1, 5, () => Pieces[dice.Whole(0, Pieces.Length - 1)]));
}
