import { basename } from 'node:path';
import type { Engine } from '../src/completion/engine';
import { cutWindow, RESERVE } from '../src/completion/window';
import { textLines } from '../src/text';
import type { Tokenizer } from '../src/model/tokenizer';
import { atLeast, round, sinceLoaded } from './benchReplay';
import { writeTokens } from './engineMeasures';
import { replayKeystrokes } from './benchKeystrokes';
import { forgetWritten, placesIn, writingTime, median } from './benchSpeed';
import { Peer, RELEASE } from './peer/llama';
import type { Typing } from './serverTyping';
import { typeWith, type Answered, type Assistant, type SourceFile, type Suggested } from './typing';

/** Tokens of its context with weights of a file. */
const CONTEXT = 2048;

/** How much either writes where its speed is measured: as many tokens as a suggestion has at most. */
const WRITTEN = RESERVE;

/**
 * Reading and writing compared with llama.cpp, in turn at the same places, and its replays of the same keystrokes. Ratios are our
 * tokens a second over theirs, and in the replay, once our model is loaded, as theirs is from the start, their median over ours. A whole suggestion is shorter than what either
 * writes, and has its beginning, the memory and the syntax to pay for.
 * @returns the figures, given our own replays of the files
 */
export async function comparePeer(
  engine: Engine,
  files: readonly SourceFile[],
  { gguf, ...typing }: { readonly seconds: number; readonly seed: number; readonly gguf?: string | undefined },
) {
  const { threads } = engine.device;
  const peer =
    gguf === undefined ? await Peer.open(engine.bundle, threads) : await Peer.openFile(gguf, threads, CONTEXT);
  try {
    const speed = await speeds(engine, peer, files);
    const keystrokes = await replayKeystrokes(engine, peer, files[0]!, typing.seed);
    const theirs: Answered[][] = [];
    let tokens = 0;
    for (const file of files) {
      const assistant = new PeerAssistant(peer, engine, file);
      tokens = Math.max(tokens, assistant.tokens);
      theirs.push(await typeWith(assistant, { ...typing, file }));
    }
    return (ours: readonly Pick<Typing, 'answers' | 'loaded'>[]) => {
      const since = (of: (i: number) => readonly Answered[]) =>
        ours.flatMap(({ loaded }, i) => sinceLoaded(of(i), loaded));
      const median = (answers: readonly Answered[]) => atLeast(answers, 0.5);
      const their = since((i) => theirs[i] ?? []);
      return {
        name: `node-llama-cpp ${RELEASE}, ${gguf === undefined ? 'Q8_0' : basename(gguf)}, ${threads} threads`,
        ...speed,
        replay_ratio: round(median(their) / median(since((i) => ours[i]?.answers ?? []))),
        replay_p50_ms: median(their),
        replay_p90_ms: atLeast(their, 0.9),
        replay_tokens: tokens,
        ...(keystrokes && { keystrokes }),
      };
    };
  } finally {
    await peer.close();
  }
}

async function speeds(engine: Engine, peer: Peer, files: readonly SourceFile[]) {
  const { bundle, prior } = engine;
  const [file, ...related] = files as [SourceFile, ...SourceFile[]];
  const ours: Record<'read' | 'write' | 'suggest', number[]> = { read: [], write: [], suggest: [] };
  const theirs: Record<'read' | 'write', number[]> = { read: [], write: [] };
  for (const [round, place] of placesIn(file, related).entries()) {
    const { head, prefix } = cutWindow(place, bundle.tokenizer, bundle.manifest);
    const window = [...head, ...prefix];
    const us = async () => {
      const begun = performance.now();
      const filling = engine.prepare(place, prior, { memory: false });
      while (!(await filling.next()).done);
      ours.read.push((1000 * window.length) / (performance.now() - begun));
      const filled = performance.now();
      const written = await writeTokens(engine, place, prior, WRITTEN);
      ours.write.push((1000 * written.length) / (performance.now() - filled));
      await forgetWritten(engine, place);
      const { tokens, ms } = await writingTime(engine, place, {});
      ours.suggest.push((1000 * tokens) / ms);
    };
    const them = async () => {
      const begun = performance.now();
      await peer.read(window);
      const read = performance.now();
      theirs.read.push((1000 * window.length) / (read - begun));
      const written = await peer.write([...window, 5], WRITTEN);
      theirs.write.push((1000 * written) / (performance.now() - read));
    };
    for (const turn of round % 2 === 0 ? [us, them] : [them, us]) await turn();
  }
  return {
    prefill_ratio: round(median(ours.read) / median(theirs.read)),
    decode_ratio: round(median(ours.write) / median(theirs.write)),
    suggestion_ratio: round(median(ours.suggest) / median(theirs.write)),
    prefill_tokens_per_s: round(median(theirs.read)),
    decode_tokens_per_s: round(median(theirs.write)),
  };
}

/**
 * llama.cpp as an assistant: every keystroke is a request, the prompt cache is its only memory. Random weights do not know
 * where a suggestion ends, so each has as many tokens as half a line of the file, which is what a cursor has before it.
 */
class PeerAssistant implements Assistant {
  readonly tokens: number;
  readonly #peer: Peer;
  readonly #engine: Engine;
  readonly #path: string;
  #text = '';
  #last: Promise<unknown> = Promise.resolve();

  constructor(peer: Peer, engine: Engine, { path, text }: SourceFile) {
    this.#peer = peer;
    this.#engine = engine;
    this.#path = path;
    this.tokens = halfLine(text, engine.bundle.tokenizer);
  }

  open(text: string): void {
    this.#text = text;
  }

  change(_: unknown, text: string): void {
    this.#text = text;
  }

  suggest(cursor: number, signal: AbortSignal): Promise<Suggested | undefined> {
    const { tokenizer, manifest } = this.#engine.bundle;
    const request = { path: this.#path, prefix: this.#text.slice(0, cursor), suffix: this.#text.slice(cursor) };
    const answer = this.#last.then(async () => {
      if (signal.aborted) return undefined;
      const { head, prefix } = cutWindow(request, tokenizer, manifest);
      await this.#peer.write([...head, ...prefix], this.tokens, signal);
      return signal.aborted ? undefined : { text: '' };
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}

/** Half of the tokens that a line of a text has on average. */
export function halfLine(text: string, tokenizer: Pick<Tokenizer, 'encodePiece'>): number {
  const lines = textLines(text).filter((line) => line.trim() !== '');
  const tokens = lines.reduce((sum, line) => sum + tokenizer.encodePiece(line.trimStart()).length, 0);
  return Math.max(1, Math.round(tokens / lines.length / 2));
}
