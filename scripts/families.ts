// Writes the tables of docs/families.md from what `npm run lab -- evaluate --families --out FILE` wrote; the text around them stays.
//   node --import=tsx scripts/families.ts FILE [COMMAND LINE, as it is to be shown]
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { bootstrap } from '../lab/evaluation/bootstrap';
import type { Measured } from '../lab/evaluation/measure';
import type { families, Summary } from '../lab/evaluation/summary';
import { percent, share, signed } from '../lab/evaluation/table';
import { messageOf } from '../src/model/errors';

export interface Report extends Omit<Summary, 'rows'> {
  readonly model: { readonly name: string; readonly version: string };
  readonly seed: number;
  readonly rows: ReturnType<typeof families>;
  readonly measured: readonly Measured[];
}

/** Which families are compared with what they are added to. */
const PAIRS = [
  ['z', 'z0'],
  ['z', 'plain'],
  ['z+samples', 'z'],
  ['z+confidence', 'z'],
  ['z+syntax check', 'z'],
  ['z+memory', 'z'],
  ['z+memory, open file only', 'z'],
  ['z0+memory', 'z0'],
  ['z+memory', 'z0+memory'],
  ['all', 'z0'],
  ['all', 'z+memory'],
] as const;

const PAGE = fileURLToPath(new URL('../docs/families.md', import.meta.url));
const BEGIN = '<!-- tables: written by scripts/families.ts -->';
const END = '<!-- end of the tables -->';

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const head = (cells: readonly string[]) => [row(cells), row(cells.map(() => '---'))];

function exactTable({ rows }: Report): string[] {
  return [
    ...head(['', 'bits per byte', 'exact suffixes', 'exact lines', 'one of three exact']),
    ...rows.map((each) =>
      row([
        each.name,
        each.bits_per_byte?.toFixed(3) ?? '–',
        share(each.exactTail),
        share(each.exactLine),
        share(each.within),
      ]),
    ),
  ];
}

function otherTable({ rows }: Report): string[] {
  return [
    ...head(['', 'similarity of blocks', 'identifier F1', 'parses', 'ECE', 'ms', 'MB']),
    ...rows.map((each) =>
      row([
        each.name,
        share(each.similarityBlock),
        share(each.identifierF1),
        share(each.parsesInterval),
        each.ece?.toFixed(3) ?? '–',
        each.ms?.toFixed(0) ?? '–',
        each.memory_mb?.toFixed(1) ?? '–',
      ]),
    ),
  ];
}

/** Differences on the same items in two tables: NLL in bits per byte and similarity, then exactness, in points. */
function pairsTables({ measured }: Report): string[] {
  const difference = (
    [one, other]: readonly [string, string],
    kind: Measured['kind'] | undefined,
    figure: (outcome: Measured['outcomes'][string]) => number | undefined,
    weight: (item: Measured) => number = () => 1,
  ) =>
    bootstrap(
      measured.flatMap((item) => {
        const [a, b] = [item.outcomes[one], item.outcomes[other]];
        const [first, second] = [a && figure(a), b && figure(b)];
        if (first === undefined || second === undefined || (kind && item.kind !== kind)) return [];
        return [{ cluster: item.repository, value: first - second, weight: weight(item) }];
      }),
    );
  const exact = ({ exact: right }: Measured['outcomes'][string]) => 100 * Number(right);
  const bits = ({ nats }: Measured['outcomes'][string]) => nats && nats / Math.LN2;
  const pairs = PAIRS.filter(([one, other]) => measured.some(({ outcomes }) => outcomes[one] && outcomes[other]));
  const points = (pair: readonly [string, string], kind: Measured['kind'], figure: typeof exact) =>
    signed(difference(pair, kind, figure), 1, 1);
  return [
    ...head(['', 'bits per byte', 'similarity of blocks, points']),
    ...pairs.map((pair) =>
      row([
        pair.join(' against '),
        signed(difference(pair, undefined, bits, ({ bytes }) => bytes)),
        points(pair, 'block', ({ similarity }) => 100 * similarity),
      ]),
    ),
    '',
    ...head(['', 'exact suffixes, points', 'exact lines, points']),
    ...pairs.map((pair) => row([pair.join(' against '), points(pair, 'tail', exact), points(pair, 'line', exact)])),
  ];
}

/** The tables of the page. @param command the command line that made the report, as it is to be shown */
export function tables(report: Report, command: string): string {
  const { model, items, repositories, coverage, targetsParse, seed } = report;
  return [
    `${model.name} ${model.version}, ${items} items of ${repositories} repositories (seed ${seed}).`,
    `The thought rests on ${percent(coverage)} % of the text outside the window.`,
    `The parser finds no fault with ${targetsParse ? percent(targetsParse.mean) : '–'} % of the targets themselves.`,
    'Shares are in per cent, in brackets 95 % bootstrap intervals by repository.',
    'One of three: of suffixes and lines, where the first three texts are looked through.',
    'ECE is the expected calibration error of the probability that a variant gives its text.',
    'ms is the median time of a suggestion with a window that has been read, MB what is kept for a place in addition to the',
    'weights.',
    '',
    ...(command === '' ? [] : ['```', ...wrapped(command), '```', '']),
    ...exactTable(report),
    '',
    ...otherTable(report),
    '',
    'Differences on the same items:',
    '',
    ...pairsTables(report),
  ].join('\n');
}

/** A command in lines of at most 118 columns, which a shell reads as one. */
function wrapped(command: string): string[] {
  const lines = [''];
  for (const word of command.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length <= 116) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line, i) => `${i > 0 ? '  ' : ''}${line}${i < lines.length - 1 ? ' \\' : ''}`);
}

/** A page with other tables between its marks. @throws Error if it has no marks */
export function withTables(page: string, written: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`the page lacks "${BEGIN}" or "${END}"; put it back`);
  return `${before}${BEGIN}\n\n${written}\n\n${END}${after}`;
}

async function main([file, ...command]: readonly string[]): Promise<void> {
  if (file === undefined) throw new Error('give the JSON that `npm run lab -- evaluate --families --out FILE` wrote');
  const report = JSON.parse(await readFile(file, 'utf8')) as Report;
  const page = withTables(await readFile(PAGE, 'utf8'), tables(report, command.join(' ')));
  await writeFile(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  });
}
