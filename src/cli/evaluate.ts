import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  DEFAULTS,
  type CompletionRequest,
  type Engine,
  type Refinement,
  type Score,
  type SourceText,
  type Thought,
} from '../completion/engine';
import { messageOf, UserError } from '../model/errors';
import { textLines } from '../model/lines';
import { followEdit, type Following } from '../thought/store';
import { MODEL_OPTIONS, MODEL_USAGE, switchOption, parse, wholeNumber } from './arguments';
import { UsageError, type Command } from './command';
import { evaluateRepositories } from './evaluation/command';
import { summarise, table, THOUGHTS, type EditScore } from './editReport';
import { openEngine } from './model';
import { ProgressBar } from './progress';
import { listPackages, readSource, runsOf, siblingsOf, type Release, type ReleasedPackage } from './releases';
import {
  applyHunk,
  beginning,
  choose,
  editsToFollow,
  hunksBetween,
  insertedText,
  isScorable,
  placeOfHunk,
  type Assignment,
  type EditSession,
} from './replay';
import { randomFrom } from '../model/random';

const DEFAULT_EDITS = 300;

const USAGE = `thoughtline evaluate DIR… [options]
  How well is unseen code written again, and does thinking help? Each DIR is a repository. Rests of lines, whole lines and
  blocks of 2 to 5 lines are cut out of its files (the thought never sees them) and completed under z_0, under the
  context's thought after T steps, and under thoughts of others.

  --each DIR        every folder in DIR is a repository, too
  --items N         texts to cut out (default: 200): rests of lines, lines and blocks, at meaningful and random places
  --repositories N  of so many repositories at most, by lot (default: all)
  --minutes N       begin nothing new after that time; what was measured until then counts (default: no limit)
  --steps LIST      numbers of steps (default: 0,1,2,4,8,16; 0 and 4 are always among them)
  --plain BUNDLE    a decoder without thought, trained at the same cost, to stand beside them
  --add FILE        count what --out holds of an earlier run by another seed, too; may be given more than once
  --plot FILE.svg   draw quality over steps
  --card TITLE      put the tables into the model's card (README.md), as the section of that title
  --families        instead of numbers of steps: thought, samples, energy, solver and memory, alone
                    and together (\`npm run families\` makes the page docs/families.md of --out FILE)
  --typing          instead: passages of about 200 characters are typed into files, at T = 0 and 4; a suggestion of the rest
                    of the line is accepted if all its text is right. How much of the code is completed? (--items 20)
  --sure LIST       with --typing: at T = 0, with suggestions shown as far as they are right with each of these probabilities
  --seed S, --json, --out FILE and the model's options: as below

thoughtline evaluate --edits DIR [options]
  Does the thought follow edits? DIR holds PACKAGE/VERSION/… with successive versions. Every file that changed is edited
  from release to release, hunk by hunk from top to bottom; before a hunk its inserted text is scored (nothing of it has
  been seen) under four thoughts:
    z_0      the prior
    frozen   refined when the file was opened, never again
    warm     the same, then after each edit warm steps on the chunks that changed: what the editor does
    cold     refined from the prior on the file as it stands
  Differences are paired; ± is the standard error over files.

  --edits DIR       releases to replay (train/ makes them: corpus releases)
  --max-edits N     edits scored (default: ${DEFAULT_EDITS}), spread over early and late edits of a session
  --seed S          which edits (default: 1)
  --memory on|off   whether the lookup memory has its say (default: off: the decoder alone is scored; --typing: on)
  --json            print everything as JSON
  --out FILE        write everything as JSON, the score of every edit included
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  edits: { type: 'string' },
  each: { type: 'string' },
  items: { type: 'string' },
  repositories: { type: 'string' },
  minutes: { type: 'string' },
  plot: { type: 'string' },
  add: { type: 'string', multiple: true },
  steps: { type: 'string' },
  plain: { type: 'string' },
  families: { type: 'boolean' },
  typing: { type: 'boolean' },
  sure: { type: 'string' },
  card: { type: 'string' },
  'max-edits': { type: 'string' },
  seed: { type: 'string' },
  memory: { type: 'string' },
  json: { type: 'boolean' },
  out: { type: 'string' },
} as const;

/** Other files of the release that are open, too. */
const SIBLINGS = 3;

/** Of a longer insertion only the beginning is scored: the rest of it would be conditioned on the target itself. */
const MOST_TOKENS = 200;

export const evaluate: Command = {
  summary: 'write unseen code again, or replay edits: does thinking help?',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    for (const path of [values.out, values.plot]) if (path !== undefined) await requireWritable(path);
    if (values.edits === undefined) {
      if (positionals.length === 0 && values.each === undefined) {
        throw new UsageError('give folders of source code, --each DIR or --edits DIR');
      }
      return evaluateRepositories(positionals, values);
    }
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of evaluate --edits`);
    const maxEdits = wholeNumber('--max-edits', values['max-edits'] ?? String(DEFAULT_EDITS), 1, 100_000);
    const seed = wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1);
    const memory = switchOption('--memory', values.memory, false);

    const packages = await listPackages(values.edits);
    const sessions = await findSessions(packages);
    if (sessions.length === 0) {
      throw new UserError(`${values.edits}: no file differs between two releases; give successive ones that do`);
    }
    const assignments = choose(sessions, maxEdits, randomFrom(seed));

    const engine = await openEngine(values, { trainedChunks: true });
    const scores = await replayAll(engine, packages, assignments, memory);
    const { name, version } = engine.bundle.manifest;
    const report = {
      model: { name, version },
      device: engine.device.device,
      seed,
      memory,
      packages: packages.length,
      sessions: assignments.length,
      steps: DEFAULTS.steps,
      chunkTokens: engine.chunkTokens,
      ...summarise(scores),
      edits: scores,
    };
    await engine.close();
    if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(report, null, 1)}\n`);
    console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
    return 0;
  },
};

async function requireWritable(path: string): Promise<void> {
  await access(path, constants.W_OK)
    .catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return access(dirname(path), constants.W_OK);
      throw error;
    })
    .catch((error: unknown) => {
      throw new UserError(`${path}: cannot be written (${messageOf(error)}); give another path`);
    });
}

/** Every file that is edited between releases, with what its edits are like. */
async function findSessions(packages: readonly ReleasedPackage[]): Promise<EditSession[]> {
  const total = packages.reduce((sum, { releases }) => sum + releases.length, 0);
  const bar = new ProgressBar('comparing releases', total);
  const sessions: EditSession[] = [];
  let done = 0;
  for (const { name, releases } of packages) {
    bar.update(done, name);
    const paths = [...new Set(releases.flatMap((release) => release.paths))];
    for (const path of paths) {
      for (const run of runsOf(releases, path)) {
        const session = await compareRun(name, path, run);
        if (session) sessions.push(session);
      }
    }
    done += releases.length;
  }
  bar.clear();
  return sessions;
}

/** @returns undefined if nothing is written in any edit, or the file cannot be read as text in every release */
async function compareRun(name: string, path: string, run: readonly Release[]): Promise<EditSession | undefined> {
  const scorable: boolean[] = [];
  let before: string | undefined;
  for (const release of run) {
    const text = await readSource(release, path);
    if (text === undefined) return undefined;
    const hunks = before === undefined || before === text ? [] : hunksBetween(before, text);
    if (!hunks) return undefined;
    scorable.push(...hunks.map(isScorable));
    before = text;
  }
  if (!scorable.includes(true)) return undefined;
  return { package: name, path, versions: run.map(({ version }) => version), scorable };
}

async function replayAll(
  engine: Engine,
  packages: readonly ReleasedPackage[],
  assignments: readonly Assignment[],
  memory: boolean,
): Promise<EditScore[]> {
  const total = assignments.reduce((sum, { edits }) => sum + edits.length, 0);
  const bar = new ProgressBar('replaying edits', total);
  const scores: EditScore[] = [];
  for (const assignment of assignments) {
    const releases = packages.find(({ name }) => name === assignment.session.package)?.releases ?? [];
    for await (const score of replay(engine, releases, assignment, memory)) {
      scores.push(score);
      bar.update(scores.length);
    }
  }
  bar.clear();
  return scores;
}

/** Edits one file through its releases, up to the last edit that is to be scored. */
async function* replay(
  engine: Engine,
  releases: readonly Release[],
  { session, edits }: Assignment,
  memory: boolean,
): AsyncGenerator<EditScore> {
  const { tokenizer } = engine.bundle;
  const count = (text: string) => tokenizer.encode(text).length;
  const last = edits.at(-1) ?? 0;
  const followings = await followingsOf(engine, releases, session, last);
  const needed = editsToFollow(followings, edits);
  const minds = new Minds(engine, memory);
  for await (const { edit, release, hunk, request } of editsOf(releases, session, last)) {
    if (!needed.has(edit)) continue;
    // What was skipped since is what a thought made anew does not depend on.
    await minds.follow(request(), followings[edit - 1] === 'cold');
    if (!edits.includes(edit)) continue;
    const target = beginning(insertedText(hunk), MOST_TOKENS, count);
    const scored = await minds.score(request(), target);
    const { package: name, path } = session;
    yield { package: name, path, release: release.version, edit, tokens: count(target), ...scored };
  }
}

/** How the warm thought follows each edit: that depends on the texts alone, no model needs to run. */
async function followingsOf(engine: Engine, releases: readonly Release[], session: EditSession, last: number) {
  const followings: (Following | undefined)[] = [];
  let known: { gradients: ReadonlySet<string> } | undefined;
  for await (const { edit, hunk, request } of editsOf(releases, session, last)) {
    // The thought follows when somebody is about to write; it has seen every edit before this one.
    if (!isScorable(hunk)) continue;
    const evidence = engine.evidence(request());
    const following = followEdit(known, evidence);
    if (following !== 'keep') known = { gradients: new Set(evidence.chunks.map(({ key }) => key)) };
    followings[edit - 1] = following;
  }
  return Array.from(followings);
}

/** The hunks of a session up to its `last` edit, each with the document as it stands when the hunk is about to be written. */
async function* editsOf(releases: readonly Release[], session: EditSession, last: number) {
  const { path, versions } = session;
  let edit = 0;
  let before: { release: Release; text: string } | undefined;
  for (const version of versions) {
    const release = releases.find((other) => other.version === version);
    const text = release ? await readSource(release, path) : undefined;
    if (!release || text === undefined) throw new UserError(`${path}: changed while it was replayed; try again`);
    const old = before;
    before = { release, text };
    if (!old) continue;
    let lines = textLines(old.text);
    const related = await siblings(old.release, path);
    for (const hunk of hunksBetween(old.text, text) ?? []) {
      const now = lines;
      const request = (): CompletionRequest => ({ path, ...placeOfHunk(now, hunk), related });
      yield { edit: ++edit, release: old.release, hunk, request };
      if (edit === last) return;
      lines = applyHunk(lines, hunk);
    }
  }
}

async function siblings(release: Release, path: string): Promise<SourceText[]> {
  const texts: SourceText[] = [];
  for (const other of siblingsOf(release.paths, path, SIBLINGS)) {
    const text = await readSource(release, other);
    if (text !== undefined) texts.push({ path: other, text });
  }
  return texts;
}

/** The thoughts about one file while it is edited. */
class Minds {
  readonly #engine: Engine;
  readonly #memory: boolean;
  #frozen: Thought | undefined;
  #warm: Thought | undefined;
  #followed: Following = 'keep';
  #sinceAnew = 0;
  #milliseconds = 0;

  constructor(engine: Engine, memory: boolean) {
    this.#engine = engine;
    this.#memory = memory;
  }

  /** Brings the warm thought up to date with the document, as the inference process of the editor does. */
  async follow(request: CompletionRequest, anew: boolean): Promise<void> {
    const following = this.#engine.follow(request, anew ? undefined : this.#warm, DEFAULTS.steps);
    if (following) this.#warm = await this.#finish(following.refinement);
    this.#milliseconds = following ? (this.#warm?.trace.milliseconds ?? 0) : 0;
    this.#followed = following?.made ?? 'keep';
    this.#sinceAnew = this.#followed === 'cold' ? 0 : this.#sinceAnew + 1;
    this.#frozen ??= this.#warm;
  }

  /** NLL of a text that is about to be written, in nats, under each thought. */
  async score(request: CompletionRequest, target: string) {
    const engine = this.#engine;
    // A thought that has just been made anew is the cold one.
    const anew = this.#followed === 'cold' ? this.#warm : undefined;
    const cold = anew ?? (await this.#finish(engine.refinement(request, { steps: DEFAULTS.steps })));
    const thoughts = {
      z_0: engine.prior,
      frozen: this.#frozen ?? engine.prior,
      warm: this.#warm ?? engine.prior,
      cold,
    };
    const scores = new Map<number, Score>();
    const under = async (thought: Thought) => {
      const score =
        scores.get(thought.version) ?? (await engine.score(request, target, thought, { memory: this.#memory }));
      scores.set(thought.version, score);
      return score;
    };
    const { bytes, nats } = await under(engine.prior);
    const nll = { z_0: nats, frozen: 0, warm: 0, cold: 0 };
    for (const name of THOUGHTS) nll[name] = (await under(thoughts[name])).nats;
    const milliseconds = { warm: this.#milliseconds, cold: cold.trace.milliseconds };
    return { bytes, nats: nll, followed: this.#followed, sinceAnew: this.#sinceAnew, milliseconds };
  }

  async #finish(refinement: Refinement): Promise<Thought> {
    while (await refinement.advance());
    return this.#engine.thought(refinement);
  }
}
