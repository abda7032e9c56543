/** Where a suggestion would be written: at the end of a begun line, inside a line, or on an empty one. */
export type Place = 'end' | 'inside' | 'empty';

/** What is known of a suggestion when it could be shown. Nothing of it is text. */
export interface Circumstances {
  readonly characters: number;
  readonly lines: number;
  /** log p of it, in nats. */
  readonly logprob?: number | undefined;
  /** Probability, 0 to 1, that it is what would have been typed, where the model says so. */
  readonly confidence?: number | undefined;
  readonly place: Place;
  /** Language identifier. */
  readonly language: string;
  /** Milliseconds since something was typed. */
  readonly sinceKeystroke: number;
}

/** What the user did before. */
export interface Experience {
  /** Rewards of the last decisions. */
  readonly recent: readonly number[];
  /** Languages in which there were decisions. */
  readonly languages: readonly string[];
}

/** In the order of their weights. The time of day is not among them. */
export const FEATURES = [
  'bias',
  'nats',
  'perCharacter',
  'confidence',
  'length',
  'lines',
  'inside',
  'empty',
  'unfamiliar',
  'haste',
  'luck',
] as const;

/** Milliseconds after a keystroke in which haste falls by a factor of e. */
const HASTE_MS = 500;

/** All of the size of one; what is not known is 0, which is neutral. */
export function featuresOf(now: Circumstances, { recent, languages }: Experience): number[] {
  const { characters, lines, logprob, confidence, place, language, sinceKeystroke } = now;
  const nats = logprob === undefined ? 0 : Math.min(Math.max(0, -logprob), 30);
  const values: Record<(typeof FEATURES)[number], number> = {
    bias: 1,
    nats: nats / 10,
    perCharacter: Math.min(nats / Math.max(1, characters), 3),
    confidence: confidence === undefined ? 0 : 2 * confidence - 1,
    length: Math.log1p(characters) / 3,
    lines: Math.log2(Math.max(1, lines)) / 2,
    inside: place === 'inside' ? 1 : 0,
    empty: place === 'empty' ? 1 : 0,
    unfamiliar: languages.includes(language) ? 0 : 1,
    haste: Math.exp(-Math.max(0, sinceKeystroke) / HASTE_MS),
    luck: recent.length === 0 ? 0 : recent.reduce((sum, reward) => sum + reward, 0) / recent.length - 0.5,
  };
  return FEATURES.map((name) => values[name]);
}
