using System.Text;

namespace TokenFactory.Cli.Verbs;

/// <summary>How a page looks on light and dark screens, and the script that tells values at the pointer.</summary>
internal static class SimulatePageStyle
{
    /// <summary>Colours of lines on a light page: each at least 4.5 to 1 against it.</summary>
    public static IReadOnlyList<string> Light { get; } =
        ["#0969da", "#b35900", "#1a7f37", "#8250df", "#cf222e", "#0e7490", "#8a6100", "#57606a"];

    /// <summary>The same on a dark page.</summary>
    public static IReadOnlyList<string> Dark { get; } =
        ["#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#ff7b72", "#39c5cf", "#d29922", "#9198a1"];

    /// <summary>The pages.</summary>
    public const string LightPage = "#ffffff";

    /// <summary>The dark one.</summary>
    public const string DarkPage = "#0d1117";

    /// <summary>How many colours there are; lines beyond them are dashed.</summary>
    public static int Colours => Light.Count;

    /// <summary>The style sheet.</summary>
    public static string Css { get; } = Sheet();

    /// <summary>The script. It holds no character that XML would have escaped; without it every chart still has its titles.</summary>
    public const string Script =
        """
        (function () {
          'use strict';
          var tip = document.getElementById('tip');
          function text(value) { return Number(value).toLocaleString('en-US', { maximumSignificantDigits: 4 }); }
          function show(svg, event) {
            var lines = Array.from(svg.querySelectorAll('path[data-v]'));
            if (lines.length === 0) { return; }
            var d = svg.dataset, box = svg.getBoundingClientRect();
            var left = Number(d.left), right = Number(d.right), from = Number(d.from), to = Number(d.to);
            var x = (event.clientX - box.left) / box.width * Number(d.width);
            var along = Math.max(0, Math.min(1, (x - left) / (right - left)));
            var count = lines[0].dataset.v.split(' ').length;
            var shift = Number(d.shift), parts = d.shift === '' ? Math.max(1, count - 1) : count;
            var i = Math.max(0, Math.min(count - 1, Math.round(along * parts - shift)));
            along = (i + shift) / parts;
            var at = d.log === '1' ? from * Math.pow(to / from, along) : from + along * (to - from);
            var guide = svg.querySelector('.guide'), px = left + along * (right - left);
            guide.setAttribute('x1', px);
            guide.setAttribute('x2', px);
            guide.style.opacity = 1;
            tip.textContent = '';
            var head = document.createElement('b');
            head.textContent = text(at) + ' ' + d.across;
            tip.appendChild(head);
            lines.forEach(function (line) {
              var value = line.dataset.v.split(' ')[i], row = document.createElement('div');
              row.textContent = line.dataset.name + ': ' + (value === '-' ? 'none' : text(value) + ' ' + d.unit);
              tip.appendChild(row);
            });
            tip.hidden = false;
            tip.style.left = Math.max(4, Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)) + 'px';
            tip.style.top = Math.max(4, event.clientY - tip.offsetHeight - 14) + 'px';
          }
          document.querySelectorAll('svg.chart').forEach(function (svg) {
            svg.addEventListener('pointermove', function (event) { show(svg, event); });
            svg.addEventListener('pointerleave', function () { tip.hidden = true; svg.querySelector('.guide').style.opacity = 0; });
          });
        }());
        """;

    private const string Rules =
        """
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 1240px; margin: 0 auto; padding: 20px 16px 48px; }
        h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere; }
        h2 { font-size: 18px; margin: 32px 0 8px; overflow-wrap: anywhere; }
        p { margin: 6px 0; max-width: 90ch; overflow-wrap: anywhere; }
        .sub, .note { color: var(--soft); font-size: 13px; }
        h1 + .answer, dl + .answer { font-size: 17px; }
        .partial { border-left: 4px solid var(--c4); padding: 4px 12px; font-weight: 600; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 10px; margin: 18px 0; padding: 0; }
        .tiles div { border: 1px solid var(--grid); border-radius: 8px; padding: 10px 14px; background: var(--tile); }
        .tiles dt { color: var(--soft); font-size: 13px; }
        .tiles dd { margin: 0; font-size: 22px; font-weight: 600; }
        .tiles dd.more { font-size: 13px; font-weight: 400; color: var(--soft); }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 14px; }
        figure { margin: 0; border: 1px solid var(--grid); border-radius: 8px; padding: 10px 12px 6px; min-width: 0; }
        figcaption { font-weight: 600; overflow-wrap: anywhere; }
        figcaption small { font-weight: 400; color: var(--soft); }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 2px 0 4px; padding: 0; font-size: 13px; }
        .key { width: 24px; height: 6px; margin-right: 6px; vertical-align: middle; }
        .chart { width: 100%; height: auto; display: block; touch-action: pan-y; }
        .scatter { width: 100%; height: auto; display: block; }
        .scatter text { font: 11px system-ui, sans-serif; fill: var(--soft); }
        .chart text { font: 11px system-ui, sans-serif; fill: var(--soft); }
        .grid { stroke: var(--grid); stroke-width: 1; fill: none; }
        .axis { stroke: var(--soft); stroke-width: 1; fill: none; }
        .line { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
        .d1 { stroke-dasharray: 7 3; }
        .d2 { stroke-dasharray: 2 2; }
        .promise { fill: none; stroke-width: 1.5; stroke-dasharray: 4 4; }
        .mark { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 1 3; }
        .guide { stroke: var(--text); stroke-width: 1; opacity: 0; pointer-events: none; }
        .wide { overflow-x: auto; margin: 14px 0; }
        table { border-collapse: collapse; width: max-content; font-size: 13px; font-variant-numeric: tabular-nums; }
        caption { text-align: left; white-space: nowrap; font-weight: 600; font-size: 15px; padding-bottom: 4px; }
        th, td { padding: 4px 10px; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: bottom; }
        td { max-width: 70ch; }
        th { color: var(--soft); font-weight: 600; }
        .n { text-align: right; white-space: nowrap; }
        #tip { position: fixed; z-index: 1; pointer-events: none; background: var(--text); color: var(--page);
          border-radius: 6px; padding: 6px 10px; font-size: 12px; max-width: 340px; overflow-wrap: anywhere; }
        #tip[hidden] { display: none; }
        """;

    private static string Sheet()
    {
        var sheet = new StringBuilder();
        Scheme(sheet, "", LightPage, "#1f2328", "#57606a", "#d0d7de", "#f6f8fa", Light);
        sheet.Append("@media (prefers-color-scheme: dark) {\n");
        Scheme(sheet, "  ", DarkPage, "#e6edf3", "#9198a1", "#30363d", "#161b22", Dark);
        sheet.Append("}\n");
        for (var i = 0; i < Light.Count; i++)
            sheet.Append($".c{i} {{ stroke: var(--c{i}); }}\n");
        return sheet.Append(Rules).ToString();
    }

    private static void Scheme(
        StringBuilder sheet, string indent, string page, string text, string soft, string grid, string tile, IReadOnlyList<string> lines)
    {
        sheet.Append($"{indent}:root {{ --page: {page}; --text: {text}; --soft: {soft}; --grid: {grid}; --tile: {tile};");
        for (var i = 0; i < lines.Count; i++)
            sheet.Append($" --c{i}: {lines[i]};");
        sheet.Append(" }\n");
    }
}
