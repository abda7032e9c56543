import { saved } from '../../policy/policy';

/** A suggestion, and how it compares with what stood there. */
export interface Suggested {
  readonly characters: number;
  readonly lines: number;
  readonly exact: boolean;
  /** 1 − edit distance / longer length. */
  readonly similarity: number;
}

/** A model of who takes suggestions. Its parameters are assumptions, none of them is measured. */
export interface User {
  readonly name: string;
  /** p(accept | exact). */
  readonly exact: number;
  /** p(accept | not exact) of what is all but exact; it falls to 0, in a straight line, at a similarity of one half. */
  readonly similar: number;
  /** Probability that a suggestion is taken or left by the toss of a coin, unread. */
  readonly careless: number;
  /** What it costs to look at one line, in characters typed. */
  readonly readingCost: number;
}

const USUAL: User = { name: 'usual', exact: 0.9, similar: 0.3, careless: 0.05, readingCost: 2 };

/** The usual one, and others that differ from it in one respect. */
export const USERS: readonly User[] = [
  USUAL,
  { ...USUAL, name: 'p(accept, if exact) 0.6', exact: 0.6 },
  { ...USUAL, name: 'p(accept, if similar) 0', similar: 0 },
  { ...USUAL, name: 'p(accept, if similar) 0.6', similar: 0.6 },
  { ...USUAL, name: 'careless 0', careless: 0 },
  { ...USUAL, name: 'careless 0.2', careless: 0.2 },
  { ...USUAL, name: 'reading cost 1', readingCost: 1 },
  { ...USUAL, name: 'reading cost 4', readingCost: 4 },
];

export function acceptance({ exact, similarity }: Suggested, user: User): number {
  const deliberate = exact ? user.exact : user.similar * Math.max(0, 2 * similarity - 1);
  return (1 - user.careless) * deliberate + user.careless / 2;
}

/** Whether it is still there half a minute after it was accepted: fewer than half of its characters had to change. */
export function stays({ exact, similarity }: Suggested): boolean {
  return exact || similarity > 0.5;
}

/** Characters that are saved when it is accepted. */
export function savedBy(suggested: Suggested): number {
  if (!stays(suggested)) return 0;
  return saved(suggested.exact ? suggested.characters : suggested.similarity * suggested.characters);
}
