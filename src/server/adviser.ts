import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Circumstances, Place } from '../policy/features';
import { decide, learn, noExperience, type Decision, type PolicyState, type Size } from '../policy/policy';
import { readState, writeState } from '../policy/state';
import { POLICY_FILE, type Outcome } from '../protocol';
import { writeWhole } from '../workspace/storage';
import type { Odds } from './schedule';

/** Outcomes are stored together after this many milliseconds. */
const QUIET_MS = 5_000;

/** Suggestions whose outcome is waited for: one stands at a time, accepted ones are looked at again after half a minute. */
const KEPT_OPEN = 32;

/** How much of a suggestion is shown: so many of its characters; 0 = none, and why. */
export interface Verdict {
  readonly until: number;
  readonly reason?: string;
}

/** A suggestion about to be shown. */
export interface Candidate {
  readonly uri: string;
  readonly odds: Odds;
  /** Characters of the suggestion that were typed or accepted before. */
  readonly typed: number;
  /** What is left of it. */
  readonly text: string;
  /** What the client takes for the suggestion, before it is cut; it ends with `text`. */
  readonly offered: string;
  readonly place: Place;
  readonly language: string;
  /** Whether its beginning may be shown alone. */
  readonly divisible: boolean;
  /** Milliseconds since something was typed. */
  readonly sinceKeystroke: number;
}

interface Host {
  readonly log: (line: string) => void;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

/** What is learned from suggestions taken, in this workspace: asked before one is shown, told what became of it, stored. */
export class Adviser {
  /** Whether it has its say. */
  adaptive = true;
  readonly #host: Host;
  /** A suggestion that is shown stays while the user types along; one that is withheld does not flicker. */
  readonly #verdicts = new WeakMap<Odds, Verdict>();
  #open: { readonly uri: string; readonly offered: string; readonly decision: Decision }[] = [];
  #state: PolicyState = noExperience;
  #file: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** One access to the file after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
  }

  /** @param storage folder in which it is kept between sessions; without one it is not */
  open(storage: string | undefined): void {
    this.#file = storage === undefined ? undefined : join(storage, POLICY_FILE);
    void this.#after(async (file) => {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return;
      const { state, dropped } = readState(text);
      this.#state = state;
      if (dropped !== undefined) this.#host.log(dropped);
    });
  }

  /** The user asked for it: it is shown, and stays while they type along. */
  show(odds: Odds): Verdict {
    const verdict = { until: Infinity };
    this.#verdicts.set(odds, verdict);
    return verdict;
  }

  /** How much of a suggestion that nobody asked for is shown. */
  advise(candidate: Candidate): Verdict {
    if (!this.adaptive) return { until: Infinity };
    const { odds, typed, text, offered } = candidate;
    const before = this.#verdicts.get(odds);
    // Once what was shown of it is taken, the rest is another suggestion.
    if (before && (before.until === 0 || before.until > typed)) return before;
    const { decision, state } = decide(this.#state, circumstancesOf(candidate), sizesOf(candidate), this.#host.random);
    this.#state = state;
    const { size } = decision;
    const verdict = size ? { until: typed + size.characters } : { until: 0, reason: withheld(decision) };
    this.#verdicts.set(odds, verdict);
    if (size) {
      const shown = offered.slice(0, offered.length - text.length + size.characters);
      this.#open = [...this.#open, { uri: candidate.uri, offered: shown, decision }].slice(-KEPT_OPEN);
    }
    return verdict;
  }

  /** What became of a suggestion. Of one that was not decided on nothing is learned. */
  learn({ uri, text, share, kept }: Outcome): void {
    const latest = (matches: (offered: string) => boolean) =>
      this.#open.findLast((one) => one.uri === uri && matches(one.offered));
    // An answer that came too late was never offered: the client knows only what was left of it a keystroke later.
    const found =
      latest((offered) => offered === text) ?? (text === '' ? undefined : latest((offered) => offered.endsWith(text)));
    if (!found || !this.adaptive || !(share >= 0 && share <= 1)) return;
    this.#open = this.#open.filter((one) => one !== found);
    this.#state = learn(this.#state, found.decision, kept ? share : 0);
    this.#timer ??= setTimeout(() => void this.store(), QUIET_MS).unref();
  }

  /** Forgets everything, on disk, too. */
  forget(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#state = noExperience;
    this.#open = [];
    return this.#after((file) => rm(file, { force: true }));
  }

  /** Writes down what was learned since the last time. Never rejects. */
  store(): Promise<void> {
    if (this.#timer === undefined) return this.#work;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#after((file) => writeWhole(file, [Buffer.from(writeState(this.#state))]));
  }

  #after(action: (file: string) => Promise<void>): Promise<void> {
    const file = this.#file;
    if (file !== undefined) {
      this.#work = this.#work
        .then(() => action(file))
        .catch((error: Error) => this.#host.log(`what was learned from suggestions taken: ${error.message}`));
    }
    return this.#work;
  }
}

function circumstancesOf({ odds, text, place, language, sinceKeystroke, typed }: Candidate): Circumstances {
  const { logprob, confidence, characters } = odds;
  // What was typed along is certain by now; the rest counts as likely per character as the whole.
  const left = characters > 0 ? Math.max(0, characters - typed) / characters : 1;
  return { ...sizeOf(text), logprob: logprob * left, confidence, place, language, sinceKeystroke };
}

/** The beginnings of a suggestion that end with a line. */
export function sizesOf({ text, divisible }: Pick<Candidate, 'text' | 'divisible'>): Size[] {
  if (!divisible) return [];
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => text.slice(0, index));
  return ends.filter((beginning) => beginning.trim() !== '').map(sizeOf);
}

/** Blank lines need no reading. */
function sizeOf(text: string): Size {
  const lines = text.split('\n').filter((line) => line.trim() !== '').length;
  return { characters: text.length, lines: Math.max(1, lines) };
}

function withheld({ probability }: Decision): string {
  const percent = Math.round(probability * 100);
  return (
    `withheld: you would probably not take it (${percent} %, learned from the suggestions that you took; thoughtline.adaptive); ` +
    'trigger the suggestion by hand to get it'
  );
}
