import { writeFile } from 'node:fs/promises';
import type { CompletionOptions, CompletionRequest, CompletionResult, Engine } from '../../src/completion/engine';
import { UserError } from '../../src/model/errors';
import { switchOption } from '../../src/cli/arguments';
import { UsageError } from '../../src/cli/command';
import { ProgressBar } from '../../src/cli/progress';
import { thoughtsAfter } from '../thoughts';
import { bootstrap, type Interval } from './bootstrap';
import { relatedTo } from './items';
import { indentOf } from './places';
import type { Repository } from './repository';
import { share, signed } from './table';
import { DEFAULT_STEPS } from './variants';

/** Lines of a file that are not written yet, and the file as it is before. */
export interface Passage {
  readonly repository: string;
  readonly request: CompletionRequest;
  readonly text: string;
}

/** What became of a passage that was typed with suggestions. */
export interface Typed {
  /** Characters, the indentation of new lines left out: the editor writes it. */
  readonly characters: number;
  /** Of these, what suggestions wrote. */
  readonly completed: number;
  readonly asked: number;
  /** Suggestions that were offered: at so many keystrokes there was something to read. */
  readonly shown: number;
  readonly accepted: number;
}

/** A passage ends with the line in which it has so many characters. */
const ENOUGH = 200;
const MAX_CHARACTERS = 400;

/** Places that are tried in a repository before it gives no passage. */
const TRIES = 100;

/** Passages of whole lines, one of each repository by turns. @param random numbers in [0, 1) */
export function choosePassages(repositories: readonly Repository[], count: number, random: () => number): Passage[] {
  const passages: Passage[] = [];
  const used = new Set<string>();
  for (let before = -1; before < passages.length && passages.length < count;) {
    before = passages.length;
    for (const repository of repositories) {
      for (let tries = 0; tries < TRIES && passages.length < count; tries++) {
        const file = repository.files[Math.floor(random() * repository.files.length)];
        if (!file || used.has(`${repository.name}\n${file.path}`)) continue;
        const lines = file.text.split('\n');
        const cut = passageAt(lines, Math.floor(random() * lines.length));
        if (!cut) continue;
        used.add(`${repository.name}\n${file.path}`);
        const request = { path: file.path, ...cut.place, related: relatedTo(file, repository) };
        passages.push({ repository: repository.name, request, text: cut.text });
        break;
      }
    }
  }
  return passages;
}

function passageAt(lines: readonly string[], line: number) {
  let end = line;
  let length = 0;
  while (end < lines.length && length < ENOUGH) length += (lines[end++] ?? '').trim().length;
  const text = lines.slice(line, end).join('\n').trimEnd();
  if (length < ENOUGH || text.length > MAX_CHARACTERS || (lines[line] ?? '').trim() === '') return undefined;
  const above = lines.slice(0, line).map((one) => `${one}\n`);
  return { text, place: { prefix: above.join(''), suffix: ['', ...lines.slice(end)].join('\n') } };
}

/**
 * Somebody types a text. A suggestion is asked for at every keystroke; it is accepted if all its text is right, and stays
 * while it is typed along with, as in the editor: the ratio of completed code of JetBrains (Semenkin et al. 2024).
 * @param suggest what is suggested behind what has been typed; empty for nothing
 */
export async function typeText(text: string, suggest: (typed: string) => Promise<string>): Promise<Typed> {
  const said = (from: number, to: number) => text.slice(from, to).replace(/\n[ \t]+/g, '\n').length;
  let at = indentOf(text);
  const result = { characters: said(at, text.length), completed: 0, asked: 0, shown: 0, accepted: 0 };
  while (at < text.length) {
    const rest = text.slice(at);
    const suggestion = await suggest(text.slice(0, at));
    result.asked++;
    if (suggestion !== '') result.shown++;
    let same = 0;
    while (same < suggestion.length && suggestion[same] === rest[same]) same++;
    if (suggestion !== '' && same === suggestion.length) {
      result.accepted++;
      result.completed += said(at, at + same);
      at += same;
    } else {
      at += same + 1;
    }
    // The editor indents a new line.
    if (text[at - 1] === '\n') at += /^[ \t]*/.exec(text.slice(at))?.[0].length ?? 0;
  }
  return result;
}

interface TypedPassage extends Typed {
  readonly repository: string;
  readonly path: string;
  readonly variant: string;
}

interface TypingWay {
  readonly variant: string;
  /** Steps of thought. */
  readonly steps: number;
  /** How sure the model must be of what is shown. */
  readonly confidence: NonNullable<CompletionOptions['confidence']>;
}

const [WITHOUT, THINKING]: readonly [TypingWay, TypingWay] = [
  { variant: 'T=0', steps: 0, confidence: 'usual' },
  { variant: `T=${DEFAULT_STEPS}`, steps: DEFAULT_STEPS, confidence: 'usual' },
];

/** Without thinking and with the default steps, as the editor would show it; and with everything shown. */
export const TYPING_VARIANTS: readonly TypingWay[] = [
  WITHOUT,
  THINKING,
  { variant: `T=${DEFAULT_STEPS}, everything shown`, steps: DEFAULT_STEPS, confidence: 'off' },
];

/** Without thinking, shown as far as it is right with each of these probabilities. @throws UsageError if they are none */
export function sureVariants(list: string): TypingWay[] {
  return list.split(',').map((word) => {
    const sure = Number(word);
    if (word.trim() === '' || !(sure > 0 && sure < 1)) {
      throw new UsageError(`--sure ${list}: give probabilities between 0 and 1, such as 0.3,0.4,0.5`);
    }
    return { variant: `T=0, sure with ${sure}`, steps: 0, confidence: sure };
  });
}

export interface TypingArguments {
  readonly memory?: string | undefined;
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `evaluate --typing`: passages typed in each of some variants. */
export async function evaluateTyping(
  engine: Engine,
  passages: readonly Passage[],
  variants: readonly TypingWay[],
  values: TypingArguments,
  end: number,
): Promise<void> {
  if (passages.length === 0) throw new UserError('nothing can be typed of these files; give larger repositories');
  const memory = switchOption('--memory', values.memory, true);
  const wanted = [...new Set(variants.map(({ steps }) => steps))];
  const bar = new ProgressBar('typing', passages.length);
  const typed: TypedPassage[] = [];
  for (const [index, { repository, request, text }] of passages.entries()) {
    const thoughts = await thoughtsAfter(engine, request, wanted);
    for (const { variant, steps, confidence } of variants) {
      const options = { steps: 0, maxLines: 1, candidates: 1, memory, confidence, thought: thoughts.get(steps) };
      const suggest = async (before: string) =>
        written(await engine.complete({ ...request, prefix: request.prefix + before }, options), request.suffix);
      typed.push({ repository, path: request.path, variant, ...(await typeText(text, suggest)) });
    }
    bar.update(index + 1);
    if (performance.now() > end) break;
  }
  bar.clear();
  const { name, version } = engine.bundle.manifest;
  const report = { model: { name, version }, memory, ...summariseTyping(typed, variants) };
  if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify({ ...report, typed }, null, 1)}\n`);
  console.log(values.json ? JSON.stringify(report, null, 2) : typingTable(report));
}

/** What a suggestion adds before what stands right of the cursor; all of it where it does not end with that. */
function written({ text, replaceSuffix }: Pick<CompletionResult, 'text' | 'replaceSuffix'>, suffix: string): string {
  const covered = suffix.slice(0, replaceSuffix);
  return text.endsWith(covered) ? text.slice(0, text.length - covered.length) : text;
}

export interface TypingSummary {
  readonly passages: number;
  readonly repositories: number;
  readonly characters: number;
  readonly rows: readonly {
    variant: string;
    asked: number;
    shown: number;
    accepted: number;
    ratio: Interval | undefined;
  }[];
  /** Ratio with the default steps minus the ratio without any, of the same passages, where there are both. */
  readonly difference: Interval | undefined;
}

export function summariseTyping(typed: readonly TypedPassage[], variants = TYPING_VARIANTS): TypingSummary {
  const of = (variant: string) => typed.filter((one) => one.variant === variant);
  const [without, thinking] = [of(WITHOUT.variant), of(THINKING.variant)];
  const passages = of(variants[0]?.variant ?? '');
  const sum = (rows: readonly Typed[], key: keyof Typed) => rows.reduce((total, row) => total + row[key], 0);
  return {
    passages: passages.length,
    repositories: new Set(passages.map(({ repository }) => repository)).size,
    characters: sum(passages, 'characters'),
    rows: variants.map(({ variant }) => {
      const rows = of(variant);
      return {
        variant,
        asked: sum(rows, 'asked'),
        shown: sum(rows, 'shown'),
        accepted: sum(rows, 'accepted'),
        ratio: bootstrap(
          rows.map(({ repository, completed, characters }) => ({
            cluster: repository,
            value: completed,
            weight: characters,
          })),
        ),
      };
    }),
    difference: bootstrap(
      thinking.map(({ repository, completed, characters }, i) => ({
        cluster: repository,
        value: completed - (without[i]?.completed ?? 0),
        weight: characters,
      })),
    ),
  };
}

function typingTable({
  passages,
  repositories,
  characters,
  rows,
  difference,
  memory,
}: TypingSummary & { memory: boolean }) {
  return [
    `${passages} passages of ${repositories} repositories, ${characters} characters; lookup memory ${memory ? 'on' : 'off'}. 95 % bootstrap intervals by repository.`,
    '',
    '| variant | ratio of completed code, % | suggestions asked for | shown | accepted |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(({ variant, ratio, asked, shown, accepted }) =>
      ratio ? `| ${variant} | ${share(ratio)} | ${asked} | ${shown} | ${accepted} |` : '',
    ),
    ...(difference ? [`| T=${DEFAULT_STEPS} minus T=0 | ${signed(difference, 100, 1)} | | | |`] : []),
  ].join('\n');
}
