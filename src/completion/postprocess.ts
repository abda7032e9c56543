import { isSubsequence } from '../syntax/edit';
import { UNKNOWN, type SyntaxCheckers, type SyntaxCheck } from '../syntax/checker';
import type { Manifest } from '../model/manifest';
import { percent } from '../numbers';
import { isBoundary } from './boundary';
import { documentOf, type CompletionRequest } from './document';
import { confidence, logOdds, featuresOf, minLogprob } from './confidence';
import { textOf } from './hypothesis';
import type { AgreedCandidate } from './hypothesis';
import { trimmer, type Trimmed } from './trim';
import { DEFAULTS, confidenceThreshold, type CompletionOptions } from './options';
import type { CompletionResult } from './results';

/** The beginning of a suggestion is worth its interruption if it spares a keystroke. */
const BEGINNING_CHARACTERS = 2;

const OUT_OF_TIME = 'the time for a suggestion ran out before there was anything to show (thoughtline.timeBudget)';

type Postprocessed = Pick<CompletionResult, 'text' | 'candidates' | 'replaceSuffix' | 'stop' | 'reason'>;

/** A candidate fitted to its place, and what is known of it. */
export interface AnnotatedCandidate extends AgreedCandidate, Trimmed {
  readonly syntax: SyntaxCheck;
  /** Log-odds of the confidence, where the bundle has weights for it. */
  readonly logOdds?: number | undefined;
}

/** Which of the rules beyond likelihood hold. */
export interface RankingRules {
  readonly rankByConfidence: boolean;
  readonly syntaxCheck: boolean;
  /** The probability with which what is shown must be right. */
  readonly threshold: number;
}

/**
 * Candidates as the document would take them: fitted to what follows, with its newlines, each once, and in the order in
 * which they deserve to be shown.
 */
export class Postprocessor {
  readonly #weights: Manifest['confidence'];
  readonly #checkers: SyntaxCheckers;

  constructor({ confidence }: Pick<Manifest, 'confidence'>, checkers: SyntaxCheckers) {
    this.#weights = confidence;
    this.#checkers = checkers;
  }

  /**
   * log p in nats below which a single text need not be written on: neither it nor a longer beginning of it would be shown.
   * −∞ where everything is shown, and where what is shown is not decided by its confidence alone.
   */
  minLogprob(options: CompletionOptions): number {
    const rules = rulesOf(options, this.#weights);
    if (rules.syntaxCheck || !this.#weights) return -Infinity;
    return minLogprob(rules.threshold, this.#weights);
  }

  /** @param candidates or the reason why there are none; undefined if it was aborted */
  async postprocess(
    request: CompletionRequest,
    candidates: readonly AgreedCandidate[] | string | undefined,
    options: CompletionOptions,
  ): Promise<Postprocessed> {
    if (candidates === undefined) return nothing('aborted', 'superseded');
    if (typeof candidates === 'string') return nothing('none', candidates);
    const rules = rulesOf(options, this.#weights);
    const document = documentOf(request);
    // Of a text that was given up for low confidence at most a beginning is shown, whatever a parser says of the rest.
    const givenUp = candidates.every(({ stop }) => stop === 'lowConfidence');
    const parse = rules.syntaxCheck || rules.rankByConfidence || rules.threshold > 0;
    const known = await this.annotate(request, candidates, parse && !givenUp);
    const ranked = rank(known, rules);
    // With more time there might have been something.
    const late = candidates.some(({ stop }) => stop === 'time');
    const none = (reason: string) => (late ? nothing('time', OUT_OF_TIME) : nothing('none', reason));
    if (ranked.length === 0) return none(reasonOf(document, candidates[0]?.text ?? ''));
    const checker = rules.syntaxCheck ? await this.#checkers.of(request.path) : undefined;
    const repaired = rules.syntaxCheck
      ? repairOrDrop(ranked, document.suffix, (text) => checker?.repair(document.prefix, document.suffix, text))
      : ranked;
    const [first] = repaired;
    if (!first) return none('no suggestion can be parsed here');
    const report = ({ text, replaceSuffix, logprob, logprobs, logOdds, syntax }: AnnotatedCandidate) => ({
      text: document.restore(text),
      replaceSuffix,
      logprob,
      ...(logprobs && { logprobs }),
      ...(logOdds !== undefined && { confidence: confidence(logOdds) }),
      ...(syntax !== UNKNOWN && { parses: syntax.parses, undeclared: syntax.undeclared }),
    });
    const reports = repaired.map(report);
    const sure = reports[0]?.confidence;
    if (sure !== undefined && sure < rules.threshold) {
      const begun = this.#beginning(document, candidates, first, rules.threshold);
      if (begun) {
        const { replaceSuffix, stop } = begun;
        return { text: document.restore(begun.text), candidates: [report(begun), ...reports], replaceSuffix, stop };
      }
      return {
        ...none(`the model is not sure enough (${percent(sure)} of ${percent(rules.threshold)} needed)`),
        candidates: reports,
      };
    }
    return {
      text: document.restore(first.text),
      candidates: reports,
      replaceSuffix: first.replaceSuffix,
      stop: first.stop,
    };
  }

  /**
   * Candidates fitted to their place, each text once, in the order given, with the log-odds of their confidence.
   * @param parse whether they are parsed, too
   */
  async annotate(
    request: CompletionRequest,
    candidates: readonly AgreedCandidate[],
    parse: boolean,
  ): Promise<AnnotatedCandidate[]> {
    const { prefix, suffix } = documentOf(request);
    const trim = trimmer(prefix, suffix, request.path);
    const trimmed = candidates.map((candidate) => ({ ...candidate, ...trim(candidate.text) }));
    const useful = trimmed.filter(
      ({ text }, i) => text !== '' && trimmed.findIndex((other) => unindented(other.text) === unindented(text)) === i,
    );
    const checker = parse && useful.length > 0 ? await this.#checkers.of(request.path) : undefined;
    const checks = checker?.check(prefix, suffix, useful);
    const bestNats = Math.min(...useful.map(({ logprob }) => -logprob));
    return useful.map((candidate, i) => {
      const known = { ...candidate, syntax: checks?.[i] ?? UNKNOWN };
      return { ...known, logOdds: this.#logOdds(known, bestNats) };
    });
  }

  /**
   * The longest beginning, of whole words, of a suggestion that is too uncertain as a whole, which by itself is sure enough.
   * @param written the candidates as they were written, `whole` among them
   * @param needed the confidence that it must have
   */
  #beginning(
    { path, prefix, suffix }: Pick<CompletionRequest, 'path' | 'prefix' | 'suffix'>,
    written: readonly AgreedCandidate[],
    whole: AnnotatedCandidate,
    needed: number,
  ): AnnotatedCandidate | undefined {
    const candidate = written.find(({ tokens }) => tokens === whole.tokens);
    const marks = candidate?.marks ?? [];
    if (!candidate || marks.length === 0) return undefined;
    const bytes = Buffer.from(candidate.text);
    const trim = trimmer(prefix, suffix, path);
    const unmarked = candidate.tokens.length - marks.length;
    for (const [i, mark] of [...marks.entries()].reverse()) {
      const text = textOf(bytes.subarray(0, mark.bytes)).trimEnd();
      if (mark.bytes >= bytes.length || !isBoundary(candidate.text, text.length)) continue;
      const trimmed = trim(text);
      if (trimmed.text.trim().length < BEGINNING_CHARACTERS) return undefined;
      const tokens = candidate.tokens.slice(0, unmarked + i + 1);
      const begun = {
        ...candidate,
        tokens,
        logprob: mark.logprob,
        syntax: UNKNOWN,
        stop: 'lowConfidence' as const,
        ...trimmed,
      };
      const logOdds = this.#logOdds(begun, -mark.logprob);
      if (logOdds !== undefined && confidence(logOdds) >= needed) return { ...begun, logOdds };
    }
    return undefined;
  }

  #logOdds(candidate: Omit<AnnotatedCandidate, 'logOdds'>, bestNats: number): number | undefined {
    if (!this.#weights) return undefined;
    return logOdds(candidateFeatures(candidate, bestNats), this.#weights);
  }
}

function rulesOf(
  { rankByConfidence, syntaxCheck, confidence }: CompletionOptions,
  weights: Manifest['confidence'],
): RankingRules {
  return {
    rankByConfidence: (rankByConfidence ?? DEFAULTS.rankByConfidence) && weights !== undefined,
    syntaxCheck: syntaxCheck ?? DEFAULTS.syntaxCheck,
    threshold: confidenceThreshold(confidence),
  };
}

/** Texts that differ in the blanks before them only are one to choose from. */
function unindented(text: string): string {
  return text.replace(/^[ \t]+/, '');
}

/** @param bestNats −log p of the most probable candidate, in nats */
export function candidateFeatures(
  { text, tokens, logprob, agreement, syntax, replaceSuffix }: Omit<AnnotatedCandidate, 'logOdds'>,
  bestNats: number,
) {
  return featuresOf({
    nats: -logprob,
    tokens: tokens.length,
    characters: text.length,
    gapToBest: -logprob - bestNats,
    parses: syntax.parses,
    undeclared: syntax.undeclared.length,
    agreement,
    replaceSuffix,
  });
}

/** Candidates by their confidence, or as they came; with the syntax check, what parses and whose names are known first. */
export function rank(
  candidates: readonly AnnotatedCandidate[],
  { rankByConfidence, syntaxCheck }: Pick<RankingRules, 'rankByConfidence' | 'syntaxCheck'>,
): AnnotatedCandidate[] {
  const ranked = [...candidates];
  if (rankByConfidence) ranked.sort((a, b) => (b.logOdds ?? 0) - (a.logOdds ?? 0));
  if (syntaxCheck) ranked.sort((a, b) => flaws(a.syntax) - flaws(b.syntax));
  return ranked;
}

/** What is unknown counts as allowed. */
function flaws({ parses, undeclared }: SyntaxCheck): number {
  return (parses === false ? 2 : 0) + (undeclared.length > 0 ? 1 : 0);
}

/** Candidates that parse; those that do not are repaired, as long as they hold what they cover, or left out. */
function repairOrDrop(
  candidates: readonly AnnotatedCandidate[],
  suffix: string,
  repair: (candidate: AnnotatedCandidate) => string | undefined,
): AnnotatedCandidate[] {
  return candidates.flatMap((candidate) => {
    if (candidate.syntax.parses !== false) return [candidate];
    const text = repair(candidate);
    if (text === undefined || !isSubsequence(suffix.slice(0, candidate.replaceSuffix), text)) return [];
    return [{ ...candidate, text, syntax: { parses: true, undeclared: [] } }];
  });
}

/** Why nothing was left of the most probable candidate. */
function reasonOf({ prefix, suffix, path }: CompletionRequest, text: string): string {
  return trimmer(prefix, suffix, path)(text).reason ?? 'the model has nothing to add here';
}

function nothing(stop: CompletionResult['stop'], reason: string): Postprocessed {
  return { text: '', candidates: [], replaceSuffix: 0, stop, reason };
}
