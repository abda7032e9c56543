import type { Circumstances } from '../../policy/features';
import { decide, learn, noExperience, RULES, type PolicyState } from '../../policy/policy';
import { normal, randomFrom } from '../../model/random';
import { shuffle } from '../replay';
import { acceptance, savedBy, stays, type Suggested, type User } from './user';

/** A suggestion of a report: what is known before it is shown, and what it is worth. */
export type Opportunity = Suggested & Omit<Circumstances, 'sinceKeystroke'>;

/** Means over the suggestions that could have been shown, except `acceptance`. */
export interface Figures {
  /** Share that is shown. */
  readonly shown: number;
  /** Share of those that is accepted. */
  readonly acceptance: number;
  /** Characters saved. */
  readonly saved: number;
  /** Characters saved less the cost of reading. */
  readonly net: number;
}

export interface Comparison {
  readonly policy: Figures;
  readonly always: Figures;
  /** The threshold on the model's own confidence that saves as many characters as the policy. */
  readonly equalSaved: Figures;
  /** Of the thresholds whose suggestions are accepted at least as often as the policy's, the one that saves most. */
  readonly equalAcceptance: Figures;
}

/** Half of the pauses before a suggestion are shorter, in milliseconds, and their spread as a factor of e. */
const PAUSE_MS = 300;
const PAUSE_SPREAD = 1;

/**
 * The policy lives through suggestions of one half of the items and is then asked about the other half, with its learning
 * switched off. Expectations there are exact under the user's model; the thresholds are chosen there in hindsight, which is
 * in their favour.
 * @param decisions suggestions that it lives through, drawn with replacement
 */
export function simulate(
  opportunities: readonly Opportunity[],
  user: User,
  { decisions, seed }: { decisions: number; seed: number },
): Comparison {
  const random = randomFrom(seed);
  const mixed = shuffle(opportunities, random);
  const known = mixed.slice(0, mixed.length >> 1);
  const asked = mixed.slice(mixed.length >> 1);
  const rules = { ...RULES, readingCost: user.readingCost };
  let state = noExperience;
  for (let i = 0; i < decisions; i++) {
    const one = known[Math.floor(random() * known.length)] as Opportunity;
    const { decision, state: next } = decide(state, now(one, random), [], random, rules);
    const taken = random() < acceptance(one, user);
    state = decision.size ? learn(next, decision, taken && stays(one) ? 1 : 0) : next;
  }
  const policy = figures(asked, user, weights(asked, state, rules, random));
  return {
    policy,
    always: figures(asked, user, () => 1),
    ...thresholds(asked, user, policy),
  };
}

function now({ exact: _, similarity: __, ...one }: Opportunity, random: () => number): Circumstances {
  return { ...one, sinceKeystroke: PAUSE_MS * Math.exp(PAUSE_SPREAD * normal(random)) };
}

/** Probability that each is shown: what is withheld is explored with the share that the rules allow. */
function weights(
  asked: readonly Opportunity[],
  state: PolicyState,
  rules: typeof RULES,
  random: () => number,
): (index: number) => number {
  const shown = asked.map((one) => decide(state, now(one, random), [], () => 1, rules).decision.size !== undefined);
  return (index) => (shown[index] ? 1 : rules.exploration);
}

/** @param weight probability that it is shown, by index */
export function figures(asked: readonly Opportunity[], user: User, weight: (index: number) => number): Figures {
  let [shown, accepted, saved, read] = [0, 0, 0, 0];
  asked.forEach((one, index) => {
    const w = weight(index);
    const p = acceptance(one, user);
    shown += w;
    accepted += w * p;
    saved += w * p * savedBy(one);
    read += w * user.readingCost * one.lines;
  });
  const n = Math.max(1, asked.length);
  return { shown: shown / n, acceptance: accepted / Math.max(1e-9, shown), saved: saved / n, net: (saved - read) / n };
}

/** What the model says of its own sureness: confidence, or where it has none the mean log p of a character. */
function sureness({ confidence, logprob, characters }: Opportunity): number {
  return confidence ?? (logprob ?? 0) / Math.max(1, characters);
}

/** Every threshold there is, from the strictest; between two, the one in between is shown with a probability. */
function thresholds(
  asked: readonly Opportunity[],
  user: User,
  policy: Figures,
): Pick<Comparison, 'equalSaved' | 'equalAcceptance'> {
  const sorted = asked.toSorted((a, b) => sureness(b) - sureness(a));
  const upTo = (count: number) => figures(sorted, user, (index) => Math.min(1, Math.max(0, count - index)));
  // More is shown, more is saved.
  let [low, high] = [0, sorted.length];
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (upTo(middle).saved < policy.saved) low = middle;
    else high = middle;
  }
  const whole = Array.from({ length: sorted.length + 1 }, (_, count) => upTo(count));
  const strict = whole.filter((one) => one.shown > 0 && one.acceptance >= policy.acceptance);
  const equalAcceptance = strict.reduce((a, b) => (b.saved > a.saved ? b : a), whole[0] as Figures);
  return { equalSaved: upTo(high), equalAcceptance };
}

export interface Estimate {
  readonly mean: number;
  /** Standard error over seeds. */
  readonly error: number;
}

export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: n < 2 ? 0 : Math.sqrt(squares / (n - 1) / n) };
}
