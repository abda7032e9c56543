import { escapeHtml } from './html';
import { plot, type PlotOptions, type Series } from './plot';

const WIDTH = 760;
const PANEL = { width: WIDTH / 2, height: 300 };
const LINE = 20;

/**
 * Two plots side by side with a legend and a note below, as an SVG file of its own, readable on light and dark ground.
 * @param names what the legend holds: names, and styles that COLOURS knows
 */
export function sheet(
  panels: readonly Omit<PlotOptions, 'marked' | 'width' | 'height'>[],
  names: readonly Pick<Series, 'name' | 'style'>[],
  note: string,
): string {
  const drawn = panels.map((panel, i) =>
    plot({ ...panel, marked: -1, ...PANEL }).replace(
      '<svg ',
      `<svg x="${i * PANEL.width}" width="${PANEL.width}" height="${PANEL.height}" `,
    ),
  );
  const legend = names.map(({ name, style }, i) => {
    const [x, y] = [60 + (i % 2) * PANEL.width, PANEL.height + LINE * (1 + Math.floor(i / 2))];
    return `<circle class="${style}" cx="${x}" cy="${y - 4}" r="4"/><text x="${x + 12}" y="${y}">${escapeHtml(name)}</text>`;
  });
  const below = PANEL.height + LINE * (1 + Math.ceil(names.length / 2));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${below + 12}" width="${WIDTH}" height="${below + 12}">` +
    `<style>${STYLE}</style><rect class="ground" width="100%" height="100%"/>${drawn.join('')}${legend.join('')}` +
    `<text class="tick" x="60" y="${below}">${escapeHtml(note)}</text></svg>\n`
  );
}

/** Colours on light and on dark ground. */
const COLOURS = {
  own: ['#1d4ed8', '#7aa2ff'],
  steps: ['#15803d', '#6ee787'],
  memory: ['#7c3aed', '#c4a5ff'],
  other: ['#b45309', '#f0a35e'],
  file: ['#0891b2', '#67d3ec'],
  workspace: ['#be185d', '#f58abf'],
  plain: ['#52525b', '#c4c4cc'],
} as const;

const coloured = (which: 0 | 1) =>
  Object.entries(COLOURS)
    .map(([name, pair]) => `polyline.${name},line.${name}{stroke:${pair[which]}}circle.${name}{fill:${pair[which]}}`)
    .join('');

const STYLE =
  'text{font:12px system-ui,sans-serif;fill:#3f3f46}.tick{font-size:11px;fill:#52525b}.grid{stroke:#d4d4d8}.ground{fill:#fff}' +
  `polyline{fill:none;stroke-width:2}.range{stroke-width:1.2}${coloured(0)}` +
  '@media(prefers-color-scheme:dark){text{fill:#e4e4e7}.tick{fill:#c4c4cc}.grid{stroke:#3f3f46}.ground{fill:#18181b}' +
  `${coloured(1)}}`;
