import { decode } from './decode';
import type { DecodeOptions } from './decodeOptions';
import type { AgreedCandidate, Candidate } from './hypothesis';
import type { Ensemble } from './prepared';
import { decodeEach, marginalise } from './samples';

/**
 * The candidates for a place: those of a beam under one thought, or of all thoughts, ranked by how probable they are.
 * @param copy a text from elsewhere as an alternative to those of several thoughts: it comes second, behind the thoughts' best
 * @returns undefined if it was aborted between two tokens
 */
export async function candidatesOf(
  ensemble: Ensemble,
  options: DecodeOptions,
  copy?: Candidate,
): Promise<AgreedCandidate[] | undefined> {
  const [thought, ...more] = ensemble.thoughts;
  if (!thought) throw new RangeError('no thought to decode under');
  if (more.length === 0) {
    const found = await decode({ ...ensemble, thought }, options);
    return found?.map((candidate, i) => ({ ...candidate, agreement: i === 0 ? 1 : 0 }));
  }
  const written = await decodeEach(ensemble, options);
  if (!written) return undefined;
  const found = options.width === 1 ? [] : await decode({ ...ensemble, thought }, options);
  if (!found) return undefined;
  return insertCopySecond(copy, await marginalise(ensemble, written, copy ? [...found, copy] : found));
}

/**
 * Ranked candidates with a copy put second, unless a thought wrote it and it is the first. By its p alone a copy is not put
 * first: what ends where the text that was copied ends has not had to say so, and is probable by being short.
 */
function insertCopySecond(copy: Candidate | undefined, ranked: AgreedCandidate[]): AgreedCandidate[] {
  const at = ranked.findIndex(({ text }) => text === copy?.text);
  if (at > 1 || (at === 0 && ranked[0]?.agreement === 0)) ranked.splice(1, 0, ...ranked.splice(at, 1));
  return ranked;
}
