// Draws the gain of thinking over a training: validation under z_0, T = 4 and another file's thought, from the logs of
// runs that went on from one another.
//   node --import=tsx scripts/curve.ts FILE.svg RUN/log.jsonl…
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../src/model/errors';
import { sheet } from '../src/plot/sheet';

interface Point {
  /** Tokens read so far in all runs. */
  readonly tokens: number;
  /** Nats per token on validation owners. */
  readonly z0: number;
  readonly four: number;
  readonly shuffled: number;
}

/** The validations in the logs, in the order of training; `tokens` go on where the run before ended. */
export function validations(logs: readonly string[]): Point[] {
  let before = 0;
  return logs.flatMap((log) => {
    const rows = log
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const found = rows.flatMap(({ tokens = 0, z0, T4, shuffled }) =>
      z0 === undefined || T4 === undefined || shuffled === undefined
        ? []
        : [{ tokens: before + tokens, z0, four: T4, shuffled }],
    );
    before += Math.max(0, ...rows.map(({ tokens = 0 }) => tokens));
    return found;
  });
}

/** Likelihood, and what four steps gain, over millions of tokens. */
export function curve(points: readonly Point[]): string {
  const over = (name: string, style: string, of: (point: Point) => number) => ({
    name,
    style,
    values: points.map(of),
  });
  const shared = {
    positions: points.map(({ tokens }) => Math.round(tokens / 1e4) / 100),
    xTitle: 'tokens of latent training, millions',
  };
  const likelihood = [
    over('z_0: no thinking', 'plain', ({ z0 }) => z0),
    over('T = 4', 'own', ({ four }) => four),
    over("another file's thought", 'other', ({ shuffled }) => shuffled),
  ];
  return sheet(
    [
      { ...shared, series: likelihood, yTitle: 'nats per token' },
      {
        ...shared,
        series: [
          over('T = 4 minus z_0', 'own', ({ z0, four }) => four - z0),
          over("T = 4 minus another file's thought", 'other', ({ four, shuffled }) => four - shuffled),
        ],
        yTitle: 'nats, T = 4 minus each of them',
      },
    ],
    likelihood,
    'validation owners, evidence outside the window; lower is better',
  );
}

async function main([file, ...logs]: readonly string[]): Promise<void> {
  if (file === undefined || !file.endsWith('.svg') || logs.length === 0) {
    throw new Error('give FILE.svg and the log.jsonl of each run, in the order of training');
  }
  const points = validations(await Promise.all(logs.map((log) => readFile(log, 'utf8'))));
  if (points.length === 0) throw new Error(`${logs.join(', ')}: no validation with a thought; give logs of \`think\``);
  await writeFile(file, curve(points));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  });
}
