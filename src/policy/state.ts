import { FEATURES } from './features';
import { noExperience, type PolicyState } from './policy';

/** Rises with every change of what is stored or of what the features mean. */
const FORMAT = 1;

/** What is written is far smaller; what is larger was not written by this program. In characters. */
export const LONGEST_STATE = 16_384;

/** Longer identifiers of languages are not kept. In characters. */
const LONGEST_LANGUAGE = 64;

export function writeState(state: PolicyState): string {
  const languages = state.languages.filter(({ length }) => length <= LONGEST_LANGUAGE);
  return `${JSON.stringify({ format: FORMAT, ...state, languages })}\n`;
}

/** What was stored; `dropped` says in one line why it could not be used. */
export function readState(text: string): { readonly state: PolicyState; readonly dropped?: string } {
  const nothing = (why: string) => ({
    state: noExperience,
    dropped: `what was learned from suggestions taken is dropped: ${why}`,
  });
  if (text.length > LONGEST_STATE) return nothing(`it has ${text.length} characters`);
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return nothing('it is no JSON');
  }
  if (!isRecord(stored)) return nothing('it is no object');
  const { format, ...rest } = stored;
  if (format !== FORMAT) {
    return nothing(`its format is ${JSON.stringify(format)?.slice(0, 20)}, and this version reads ${FORMAT}`);
  }
  return isState(rest) ? { state: rest } : nothing('it is damaged');
}

function isState(value: Record<string, unknown>): value is Record<string, unknown> & PolicyState {
  const { posterior, decisions, recent, languages, reduced, explored } = value;
  return (
    isRecord(posterior) &&
    isVector(posterior['mean'], () => true) &&
    isVector(posterior['precision'], (precision) => precision > 0) &&
    [decisions, reduced, explored].every((count) => Number.isSafeInteger(count) && (count as number) >= 0) &&
    Array.isArray(recent) &&
    recent.every((reward: unknown) => isNumber(reward) && reward >= 0 && reward <= 1) &&
    Array.isArray(languages) &&
    languages.every((language: unknown) => typeof language === 'string')
  );
}

function isVector(value: unknown, holds: (number: number) => boolean): boolean {
  return Array.isArray(value) && value.length === FEATURES.length && value.every((one) => isNumber(one) && holds(one));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
