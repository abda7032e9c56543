/**
 * Whether, and how long, a suggestion that nobody asked for is shown: a contextual bandit that learns from what this user
 * took, on this machine. Pure: a state goes in, a decision or another state comes out.
 */
import { FEATURES, featuresOf, type Circumstances, type Experience } from './features';
import { priorOf, probability, updated, type Posterior } from './posterior';

export interface PolicyState extends Experience {
  readonly posterior: Posterior;
  /** Decisions that were learned from, since their outcome is known. */
  readonly decisions: number;
  /** Suggestions that would not have been shown whole, and those of them that were, to learn from. */
  readonly reduced: number;
  readonly explored: number;
}

/** One length of a suggestion, its beginning up to the end of a line. */
export type Size = Pick<Circumstances, 'characters' | 'lines'>;

export interface Decision {
  /** What is shown; undefined: nothing. */
  readonly size: Size | undefined;
  /** Probability that what is shown, or would have been, is accepted and stays. */
  readonly probability: number;
  /** Characters that showing it would save, less what it costs to read it. */
  readonly gain: number;
  /** Whether it is shown against the policy's own advice. */
  readonly explored: boolean;
  readonly language: string;
  /** Of what is shown, for learning from it later. */
  readonly features: readonly number[];
}

export interface Rules {
  /** Decisions with a known outcome before which everything is shown. */
  readonly warmup: number;
  /** What it costs to look at one line of a suggestion, in characters typed. */
  readonly readingCost: number;
  /** At most this share of what would not be shown whole is shown whole all the same. */
  readonly exploration: number;
}

/**
 * The reading cost is a choice, not a measurement: a glance of half a second at four characters a second. The simulator
 * varies it.
 */
export const RULES: Rules = { warmup: 200, readingCost: 2, exploration: 0.05 };

/** Decisions after which an old one counts less by a factor of e. */
const MEMORY = 2000;

const KEPT_RECENT = 10;
const KEPT_LANGUAGES = 32;

export const noExperience: PolicyState = {
  posterior: priorOf(FEATURES.length),
  decisions: 0,
  recent: [],
  languages: [],
  reduced: 0,
  explored: 0,
};

/** Characters that accepting saves: it costs a key itself. */
export function saved(characters: number): number {
  return Math.max(0, characters - 1);
}

/**
 * @param whole the suggestion as it is; a shorter one counts as likely per character, and as sure, as the whole
 * @param shorter beginnings of it that could be shown instead
 * @param random numbers in [0, 1)
 */
export function decide(
  state: PolicyState,
  whole: Circumstances,
  shorter: readonly Size[],
  random: () => number,
  rules: Rules = RULES,
): { decision: Decision; state: PolicyState } {
  const weigh = (size: Size) => weighed(state, resized(whole, size), rules);
  const all = weigh(whole);
  if (state.decisions < rules.warmup) return { decision: { ...all, explored: false }, state };
  const best = shorter.map(weigh).reduce((a, b) => (b.gain > a.gain ? b : a), all);
  if (best === all && all.gain > 0) return { decision: { ...all, explored: false }, state };
  const reduced = state.reduced + 1;
  // A chance of twice the share makes use of it; the count keeps to it, whatever chance does.
  const explored = random() < 2 * rules.exploration && state.explored + 1 <= rules.exploration * reduced;
  const next = { ...state, reduced, explored: state.explored + (explored ? 1 : 0) };
  if (explored) return { decision: { ...all, explored }, state: next };
  return { decision: { ...best, size: best.gain > 0 ? best.size : undefined, explored }, state: next };
}

function weighed(state: PolicyState, now: Circumstances, { readingCost }: Rules): Omit<Decision, 'explored'> {
  const features = featuresOf(now, state);
  const p = probability(state.posterior, features);
  const gain = p * saved(now.characters) - readingCost * now.lines;
  return { size: sizeOf(now), probability: p, gain, language: now.language, features };
}

function resized(whole: Circumstances, { characters, lines }: Size): Circumstances {
  const share = characters / Math.max(1, whole.characters);
  return { ...whole, characters, lines, logprob: whole.logprob === undefined ? undefined : whole.logprob * share };
}

function sizeOf({ characters, lines }: Size): Size {
  return { characters, lines };
}

/** @param reward 1: accepted and still there; 0: not; between: the share that was accepted */
export function learn(
  state: PolicyState,
  { features, language }: Pick<Decision, 'features' | 'language'>,
  reward: number,
): PolicyState {
  const others = state.languages.filter((known) => known !== language);
  return {
    ...state,
    posterior: updated(state.posterior, features, reward, MEMORY),
    decisions: state.decisions + 1,
    recent: [...state.recent, reward].slice(-KEPT_RECENT),
    languages: [...others, language].slice(-KEPT_LANGUAGES),
  };
}
