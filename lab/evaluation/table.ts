import type { Interval } from './bootstrap';
import type { Kind } from './items';
import type { Summary } from './summary';

/** The summary as a Markdown table; intervals are 95 %. */
export function markdown(summary: Summary): string {
  const lines = [
    `${summary.items} texts, ${summary.repositories} ${summary.repositories === 1 ? 'repository' : 'repositories'}; the thought rests on ${percent(summary.coverage)} % of the text outside the window.`,
    `The parser finds no fault with ${summary.targetsParse ? percent(summary.targetsParse.mean) : '–'} % of the targets themselves.`,
    `In brackets: 95 % bootstrap intervals by ${summary.repositories > 1 ? 'repository' : 'file'}. Shares in per cent.`,
    '',
    '| variant | bits per byte | minus T=0 | exact line suffixes | the same at random places | exact lines | similarity of blocks | identifier F1 | parses | ms | thinking, ms |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...summary.rows.map((row) =>
      [
        '',
        row.variant,
        row.bitsPerByte?.mean.toFixed(3) ?? '–',
        signed(row.minusPrior),
        share(row.exactTail),
        share(row.exactRandomTail),
        share(row.exactLine),
        share(row.similarityBlock),
        share(row.identifierF1),
        share(row.parses),
        row.milliseconds?.toFixed(0) ?? '–',
        row.thinking?.toFixed(0) ?? '–',
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    ...contrastLines(summary),
    ...kindLines(summary),
    '',
    '| texts by how familiar they are | how many | bits per byte at T=0 | T=4 minus T=0 |',
    '| --- | --- | --- | --- |',
    ...[...summary.quartiles, ...summary.languages].map(
      (slice) =>
        `| ${slice.name} | ${slice.items} | ${slice.prior?.mean.toFixed(3) ?? '–'} | ${signed(slice.minusPrior)} |`,
    ),
  ];
  return lines.join('\n');
}

function contrastLines({ contrasts }: Summary): string[] {
  if (contrasts.length === 0) return [];
  const points = (interval: Interval | undefined) => signed(interval, 100, 1);
  return [
    '',
    '| difference | texts | NLL, % | exact line suffixes, points |',
    '| --- | --- | --- | --- |',
    ...contrasts.map(
      ({ variant, against, items, nll, exactTail }) =>
        `| ${variant} against ${against} | ${items} | ${points(nll)} | ${points(exactTail)} |`,
    ),
  ];
}

/** What was cut out, and where: for the variants with default steps and without, with memory and without. */
function kindLines({ rows }: Summary): string[] {
  const shown = rows.filter(({ variant }) => KIND_VARIANTS.includes(variant));
  const [first] = shown;
  if (!first) return [];
  const cells = shown.map(({ variant }) => ` ${variant}: exact, similarity, F1 |`).join('');
  const mean = (interval: Interval | undefined) => (interval ? percent(interval.mean) : '–');
  return [
    '',
    `| cut out | texts |${cells}`,
    `| --- | --- |${shown.map(() => ' --- |').join('')}`,
    ...first.kinds.map(({ kind, place, items }) => {
      const figures = shown.map(({ kinds }) => {
        const found = kinds.find((other) => other.kind === kind && other.place === place);
        return ` ${mean(found?.exact)}, ${mean(found?.similarity)}, ${mean(found?.identifierF1)} |`;
      });
      return `| ${CUT[kind]}, ${place === 'syntax' ? 'meaningful place' : 'random place'} | ${items} |${figures.join('')}`;
    }),
  ];
}

/** What was cut out. */
const CUT: Readonly<Record<Kind, string>> = { tail: 'line suffix', line: 'whole line', block: 'block' };

const KIND_VARIANTS: readonly string[] = ['T=0', 'T=4', 'T=4 + memory', 'plain', 'plain + memory'];

/** A share in per cent. */
export function percent(value: number): string {
  return (value * 100).toFixed(1);
}

/** A share in per cent with its interval. */
export function share(interval: Interval | undefined): string {
  if (!interval) return '–';
  return `${percent(interval.mean)} (${percent(interval.low)}–${percent(interval.high)})`;
}

/** A difference with its interval, as a number of units of 1/factor. */
export function signed(interval: Interval | undefined, factor = 1, digits = 3): string {
  if (!interval) return '–';
  const text = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value * factor).toFixed(digits)}`;
  return `${text(interval.mean)} (${text(interval.low)} to ${text(interval.high)})`;
}
