/** What only measuring and fitting ask of an engine. */
import type { CompletionOptions, CompletionRequest, Engine, Thought } from '../src/completion/engine';
import { documentOf } from '../src/completion/document';
import type { AnnotatedCandidate } from '../src/completion/postprocess';
import { logMeanExp } from '../src/completion/samples';
import { readTarget, scoreTarget, type Score } from '../src/completion/score';
import { cursorContext } from '../src/completion/stop';
import type { OpenIdentifier } from '../src/memory/identifiers';
import type { TokenExample } from '../src/memory/inFileBoost';
import { INVERSE_TEMPERATURE, type KnnDistribution } from '../src/memory/knn';
import type { CacheHit } from '../src/memory/prediction';
import { mostProbable } from '../src/model/softmax';
import { MAX_STALE } from '../src/model/suffixReuse';

/** A token of a target: the decoder's logits [vocabulary], and what the memory knows. */
export interface MixtureExample extends TokenExample {
  readonly hits: readonly CacheHit[];
  /** The word in which the text before the token ends. */
  readonly word: OpenIdentifier;
  /** The kNN distribution; undefined where the bundle's graphs do not give hidden keys. */
  readonly knn: KnnDistribution | undefined;
}

/** All candidates for a place with what is known of them, before they are ranked: for fitting how they are. */
export async function annotatedCandidates(
  { internals }: Engine,
  request: CompletionRequest,
  options: CompletionOptions,
): Promise<AnnotatedCandidate[]> {
  const { candidates } = await internals.candidates(request, options);
  return Array.isArray(candidates) ? internals.postprocessor.annotate(request, candidates, true) : [];
}

/**
 * NLL of a target after the prefix under a thought. The target reaches neither evidence nor memory.
 * @param options.memory whether the lookup memory is used; by default it is not: what is scored is decoder and thought
 * @param options.knn whether the kNN cache is used (default: yes)
 * @param options.samples thoughts drawn from the posterior: then −log of the mean of their p (default: the mean thought)
 */
export async function scoreUnderThought(
  { bundle, internals }: Engine,
  request: CompletionRequest,
  target: string,
  thought: Thought,
  { memory = false, knn = true, samples = 1 }: { memory?: boolean; knn?: boolean; samples?: number } = {},
): Promise<Score> {
  const document = documentOf(request);
  const { lookup } = internals;
  return internals.run(async () => {
    const decoder = internals.decoder(request, 0);
    const mix = lookup.mix(memory, knn ? { decoder, datastore: thought.datastore } : undefined);
    const scores: Score[] = [];
    for (const sample of internals.samples(thought, samples)) {
      scores.push(await scoreTarget(decoder, bundle, document, target, sample, mix, memory ? lookup : undefined));
    }
    return { nats: -logMeanExp(scores.map(({ nats }) => -nats)), bytes: scores[0]?.bytes ?? 0 };
  });
}

/**
 * Tokens that the decoder alone writes at the cursor, the most probable each time and whatever would end a suggestion:
 * for comparing how fast it reads and writes.
 * @param exact as `CompletionOptions` have it
 */
export async function writeTokens(
  { internals }: Engine,
  request: CompletionRequest,
  thought: Thought,
  count: number,
  exact = true,
): Promise<number[]> {
  const window = internals.healedWindow(request);
  return internals.run(async () => {
    const decoder = internals.decoder(request, exact ? 0 : MAX_STALE);
    const written: number[] = [];
    while (written.length < count) {
      const [token = 0] = mostProbable(await decoder.logits([...window, ...written], thought), 1);
      written.push(token);
    }
    return written;
  });
}

/**
 * What stood at the cursor if the text went on as after the longest match of its end: an n-gram cache, for comparison.
 * Empty where nothing is known.
 */
export async function longestCopy(
  { internals }: Engine,
  request: CompletionRequest,
  maxLines: number,
): Promise<string> {
  const document = documentOf(request);
  const cursor = cursorContext(document.prefix, document.suffix, maxLines);
  const copy = await internals.run(() => {
    internals.lookup.show(document, 0);
    return Promise.resolve(internals.copy(request, cursor));
  });
  return document.restore(copy?.text ?? '');
}

/**
 * What memory and decoder know about each token of a target, for fitting how they are mixed.
 * @param memory whether the n-gram cache is used, too, or the kNN cache alone
 */
export async function mixtureExamples(
  { bundle, internals }: Engine,
  request: CompletionRequest,
  target: string,
  thought: Thought,
  memory: boolean,
): Promise<MixtureExample[]> {
  const { lookup } = internals;
  return internals.run(async () => {
    const examples: MixtureExample[] = [];
    const decoder = internals.decoder(request, 0);
    const sources = { decoder, datastore: thought.datastore };
    const tokens = readTarget(decoder, bundle, documentOf(request), target, thought, lookup);
    for await (const { token, logits, context, state, pendingBytes } of tokens) {
      // Where bytes are pending, the mixture alone does not decide.
      if (pendingBytes.length > 0) continue;
      const { inFileMask, identifiers } = lookup;
      const hits = memory ? lookup.lookUp(context) : [];
      const knn = lookup.knn(sources, state, INVERSE_TEMPERATURE);
      const word = identifiers.at(context.tokens);
      examples.push({ logits: logits.slice(), inFileMask, hits, word, knn, target: token });
    }
    return examples;
  });
}
