import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { CompletionOptions, CompletionRequest, Engine, Evidence, Thought } from '../../src/completion/engine';
import type { FromInference, ToInference } from '../../src/inference/messages';
import { NumericalError } from '../../src/model/errors';
import { quantiseRows } from '../../src/model/quantisedRows';
import { InferenceService } from '../../src/inference/process';
import { planUpdate } from '../../src/thought/store';

const trace = { steps: 0, nll: [], heldOut: [], kl: [], best: 0, coverage: 0, chunks: [], runs: 0, milliseconds: 0 };
const gradient = { gradient: quantiseRows(new Float32Array(1), 1), nll: 1, tokens: 1, heldOut: false };

function thoughtOf(version: number, ...keys: string[]): Thought {
  return {
    version,
    mu: new Float32Array(1),
    trace,
    datastore: [],
    extraEntries: new Map(),
    gradients: new Map(keys.map((key) => [key, gradient])),
    evidence: [],
  };
}

/**
 * An engine that computes nothing and writes down what it is asked. The words of a request's prefix are its chunks; each
 * gradient step takes one run a chunk, filling caches takes two.
 */
class CountingEngine {
  readonly log: string[] = [];
  readonly asked: CompletionOptions[] = [];
  readonly prior = thoughtOf(0);
  readonly bundle = { manifest: { files: { weights: { sha256: '' } } } };
  tokens = 0;
  onToken: (token: number) => void = () => undefined;
  #versions = 0;

  evidence(request: CompletionRequest) {
    return { chunks: request.prefix.split(' ').map((key) => ({ key })), coverage: 1 };
  }

  sure: { text: string; replaceSuffix: number } | undefined;

  early() {
    return Promise.resolve(this.sure);
  }

  async complete(_request: CompletionRequest, options: CompletionOptions) {
    this.log.push(`decode z${options.thought?.version}`);
    this.asked.push(options);
    // Two tokens, and room between them for a message to come.
    for (let token = 0; token < 2 && !options.signal?.aborted; token++) {
      this.onToken(token);
      this.tokens++;
      await turn();
    }
    return {
      text: options.signal?.aborted ? '' : 'x',
      candidates: [],
      replaceSuffix: 0,
      milliseconds: 0,
      thought: trace,
      stop: 'end',
    };
  }

  verifiable = true;
  mismatch: string | undefined;

  verify(): Promise<string | undefined> {
    this.log.push('verify');
    return Promise.resolve(this.mismatch);
  }

  /** Text of more than this many characters makes the window move. */
  windowEnd = Infinity;

  readonly readsThought = true;
  readonly defaultSteps = 1;

  extendsWindow(before: CompletionRequest, request: CompletionRequest) {
    const length = (one: CompletionRequest) => this.window(one).prefixTokens;
    return length(request) > length(before);
  }

  toRead = Infinity;

  unread() {
    return this.toRead;
  }

  window(request: CompletionRequest) {
    const length = request.prefix.length;
    return { prefixTokens: length > this.windowEnd ? length - this.windowEnd : length, suffixTokens: 0 };
  }

  refinement(request: CompletionRequest, options: { steps: number; from?: Thought }) {
    const keys = request.prefix.split(' ');
    const fresh = keys.filter((key) => !options.from?.gradients.has(key)).length;
    const runs = fresh * options.steps;
    let done = 0;
    return {
      keys,
      get progress() {
        return { step: Math.floor(done / Math.max(1, fresh)), steps: options.steps };
      },
      advance: async () => {
        this.log.push(options.from ? 'warm run' : 'cold run');
        await turn();
        return ++done < runs;
      },
    };
  }

  follow(request: CompletionRequest, before: Thought | undefined, steps: number) {
    const kind = planUpdate(before, this.evidence(request) as unknown as Evidence);
    if (kind === 'none') return undefined;
    if (kind === 'cold') return { refinement: this.refinement(request, { steps }), kind };
    return { refinement: this.refinement(request, { steps: Math.min(2, steps), from: before! }), kind };
  }

  thought({ keys }: { keys: string[] }): Thought {
    return thoughtOf(++this.#versions, ...keys);
  }

  async *changes(_request: CompletionRequest, thought: Thought) {
    this.log.push(`changes z${thought.version}`);
    yield;
    return Promise.resolve([{ text: `word${thought.version}`, before: 0.1, after: 0.2 }]);
  }

  async *prepare(request: CompletionRequest, thought: Thought) {
    for (let i = 0; i < 2; i++) {
      this.log.push(`fill z${thought.version} "${request.prefix}"`);
      await turn();
      yield;
    }
  }
}

function service() {
  const engine = new CountingEngine();
  const sent: FromInference[] = [];
  const inference = new InferenceService(engine as unknown as Engine, (message) => sent.push(message));
  const uri = 'file:///a.ts';
  const request = (prefix: string) => ({ path: '/a.ts', prefix, suffix: '', related: [] });
  let id = 0;
  const say = {
    complete: (prefix: string, prefetch = false, invoked = false) =>
      inference.receive({
        type: 'complete',
        id: ++id,
        uri,
        request: request(prefix),
        options: {
          maxLines: 1,
          suggestionOptions: { memory: true, confidence: 'usual' } as const,
          invoked,
        },
        sentAt: 0,
        prefetch,
      }),
    think: (prefix: string, mode: 'cold' | 'follow' | 'prepare', steps = 2) =>
      inference.receive({ type: 'think', id: ++id, uri, request: request(prefix), mode, steps }),
    other: (message: ToInference) => inference.receive(message),
  };
  const until = async (condition: () => boolean) => {
    for (const end = Date.now() + 5_000; !condition() && Date.now() < end;) await turn();
    assert.ok(condition(), JSON.stringify(sent));
  };
  const count = (type: FromInference['type']) => sent.filter((message) => message.type === type).length;
  return { engine, sent, say, until, count, uri };
}

test('a new thought serves only after its caches are filled; until then the one before does', async () => {
  const { engine, sent, say, until, count } = service();
  say.think('a b', 'cold', 1);
  await until(() => engine.log.includes('fill z1 "a b"'));
  say.complete('a b c');
  await until(() => count('thought') === 1 && count('completed') === 1);
  say.complete('a b cd');
  await until(() => count('completed') === 2);
  assert.deepEqual(engine.log, ['cold run', 'cold run', 'fill z1 "a b"', 'decode z0', 'fill z1 "a b"', 'decode z1']);
  const versions = sent.flatMap((message) => (message.type === 'completed' ? [message.thought] : []));
  assert.deepEqual(versions, [0, 1]);
});

test('what a thought changes is told to whoever asks, and computed for nobody else', async () => {
  const { engine, sent, say, until, count, uri } = service();
  const changes = () => sent.flatMap((message) => (message.type === 'changes' ? [message.changes] : []));
  say.other({ type: 'changes', id: 100, uri });
  await until(() => count('changes') === 1);
  say.think('a b', 'cold', 1);
  await until(() => count('thought') === 1);
  assert.ok(!engine.log.includes('changes z1'));
  say.other({ type: 'changes', id: 101, uri });
  await until(() => count('changes') === 2);
  assert.deepEqual(changes(), [[], [{ text: 'word1', before: 0.1, after: 0.2 }]]);
});

test('whoever asks again and again what a thought changes does not keep the next one from being made', async () => {
  const { engine, say, until, count, uri } = service();
  say.think('a b', 'cold', 1);
  await until(() => count('thought') === 1);
  engine.log.length = 0;
  say.think('a c', 'cold', 1);
  for (let id = 100; id < 103; id++) say.other({ type: 'changes', id, uri });
  await until(() => count('thought') === 2 && count('changes') === 1);
  assert.equal(engine.log.at(-1), 'changes z2');
  assert.equal(engine.log.filter((line) => line.startsWith('changes')).length, 1);
});

test('what the memory is sure of comes first, unless it was triggered manually or nobody waits', async () => {
  const { engine, sent, say, until, count } = service();
  say.complete('a');
  await until(() => count('completed') === 1);
  assert.equal(count('early'), 0);
  engine.sure = { text: 'b', replaceSuffix: 0 };
  say.complete('ab');
  await until(() => count('completed') === 2);
  const kinds = sent.flatMap(({ type }) => (type === 'early' || type === 'completed' ? [type] : []));
  assert.deepEqual(kinds, ['completed', 'early', 'completed']);
  assert.deepEqual(
    sent.find(({ type }) => type === 'early'),
    { type: 'early', id: 2, text: 'b', replaceSuffix: 0 },
  );
  say.complete('abc', false, true);
  await until(() => count('completed') === 3);
  say.complete('abcd', true);
  await until(() => count('completed') === 4);
  assert.equal(count('early'), 1);
});

test('after an edit only what changed is evaluated, warm from the thought before; the newest text is filled', async () => {
  const { engine, sent, say, until, count } = service();
  say.think('a b c d', 'cold', 1);
  await until(() => count('thought') === 1);
  engine.log.length = 0;
  say.think('a b c e', 'follow', 4);
  say.complete('a b c ef');
  await until(() => count('thought') === 2);
  assert.deepEqual(engine.log, ['decode z1', 'warm run', 'warm run', 'fill z2 "a b c ef"', 'fill z2 "a b c ef"']);
  const kinds = sent.flatMap((message) => (message.type === 'thought' ? [message.publication?.kind] : []));
  assert.deepEqual(kinds, ['cold', 'warm']);
});

test('where no steps are to be taken the window is read, under the thought that serves', async () => {
  const { engine, sent, say, until, count } = service();
  say.think('a b', 'prepare', 0);
  await until(() => count('thought') === 1);
  assert.deepEqual(engine.log, ['fill z0 "a b"', 'fill z0 "a b"']);
  say.think('a b', 'cold', 1);
  await until(() => count('thought') === 2);
  engine.log.length = 0;
  say.think('a b c', 'prepare', 1);
  await until(() => count('thought') === 3);
  assert.deepEqual(engine.log, ['fill z1 "a b c"', 'fill z1 "a b c"']);
  const made = sent.map((message) => message.type === 'thought' && message.publication?.version);
  assert.deepEqual(made.filter((version) => version !== false), [undefined, 1, undefined]); // prettier-ignore
});

test('an edit that changes nothing of the evidence costs no run, one that changes most of it begins again', async () => {
  const { engine, sent, say, until, count } = service();
  say.think('a b c', 'cold', 1);
  await until(() => count('thought') === 1);
  engine.log.length = 0;
  say.think('a b c', 'follow');
  await until(() => count('thought') === 2);
  assert.deepEqual(engine.log, []);
  assert.equal(sent.findLast((message) => message.type === 'thought')?.publication, undefined);
  say.think('x y c', 'follow', 1);
  await until(() => count('thought') === 3);
  assert.equal(engine.log.filter((line) => line === 'cold run').length, 3);
});

test('superseded thinking and forgotten documents do no further run', async () => {
  const { engine, sent, say, until, count, uri } = service();
  say.think('a b', 'cold', 32);
  await until(() => engine.log.length >= 3);
  say.think('a b', 'cold', 1);
  await until(() => count('thought') === 1);
  assert.equal(count('declined'), 1);
  assert.ok(engine.log.length < 12, `${engine.log.length} runs`);
  say.other({ type: 'forget', uri });
  say.complete('a b');
  await until(() => count('completed') === 1);
  assert.equal(sent.findLast((message) => message.type === 'completed')?.thought, 0);
});

test('aborting reaches a decoding that goes on', async () => {
  const { engine, sent, say, until, count } = service();
  say.complete('a');
  await until(() => engine.log.length === 1);
  say.other({ type: 'abort', id: 1 });
  await until(() => count('completed') === 1);
  assert.equal(sent.find((message) => message.type === 'completed')?.result.text, '');
});

test('an engine that throws declines that request with the reason', async () => {
  const { engine, sent, say, until, count } = service();
  engine.complete = () => Promise.reject(new Error('device lost\nstack'));
  say.complete('a');
  await until(() => count('declined') === 1);
  assert.equal(sent.find((message) => message.type === 'declined')?.reason, 'the model failed: device lost');
});

test('a prefetch makes way for a keystroke at its next token, and reads another window only where little is new', async () => {
  const { engine, sent, say, until, count } = service();
  const completed = (id: number) => sent.some((message) => message.type === 'completed' && message.id === id);
  say.complete('a');
  await until(() => completed(1));
  say.complete('ab', true);
  await until(() => completed(2));
  assert.equal(engine.tokens, 4, 'with nothing else to do it is made');

  engine.tokens = 0;
  // The user types while the first token of a prefetch is on its way.
  engine.onToken = () => {
    engine.onToken = () => undefined;
    say.complete('ax');
  };
  say.complete('abc', true);
  await until(() => completed(4));
  assert.equal(engine.tokens, 3, 'one prefetched token, two for the keystroke');
  const declined = sent.flatMap((message) => (message.type === 'declined' ? [message.id] : []));
  assert.deepEqual(declined, [3]);

  engine.windowEnd = 3;
  say.complete('abc');
  await until(() => completed(5));
  engine.log.length = 0;
  say.complete('abcd', true);
  await until(() => count('declined') === 2);
  const last = sent.findLast((message) => message.type === 'declined');
  assert.match(last?.type === 'declined' ? last.reason : '', /too much would have to be read/);
  assert.deepEqual(engine.log, []);

  engine.toRead = 100;
  say.complete('abcd', true);
  await until(() => completed(7));
  assert.equal(engine.asked.at(-1)?.prefetch, true);
  engine.windowEnd = Infinity;
  say.complete('abcde', true);
  await until(() => completed(8));
  assert.equal(engine.asked.at(-1)?.prefetch, false);
});

test('after a suggestion that was typed for no gradient run begins for a while, unless a thought is asked for', async () => {
  const { engine, say, until, count } = service();
  say.think('a b c d', 'cold', 4);
  await until(() => engine.log.length > 1);
  say.complete('a');
  await until(() => count('completed') === 1);
  const held = engine.log.length;
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(engine.log.length, held, engine.log.join(', '));
  say.think('a b', 'cold', 4);
  await until(() => engine.log.length > held);
  await until(() => count('thought') === 1);
});

test('a prefetch comes before thinking', async () => {
  const { engine, say, until, count } = service();
  say.complete('a');
  await until(() => count('completed') === 1);
  engine.log.length = 0;
  say.think('a b', 'cold', 1);
  say.complete('a b c', true);
  await until(() => count('thought') === 1 && count('completed') === 2);
  assert.ok(engine.log.indexOf('decode z0') < engine.log.indexOf('fill z1 "a b"'), engine.log.join(', '));
});

test('after many suggestions the device is verified at idle; what it computes wrongly is told', async () => {
  const { engine, sent, say, until, count } = service();
  for (let i = 1; i <= 512; i++) {
    if (i === 300) engine.mismatch = 'it differs';
    say.complete(`${i}`);
    await until(() => count('completed') === i);
    if (i % 256 === 0) await until(() => engine.log.filter((line) => line === 'verify').length === i / 256);
  }
  await until(() => count('deviceMismatch') === 1);
  const told = sent.flatMap((message) => (message.type === 'deviceMismatch' ? [message.reason] : []));
  assert.deepEqual(told, ['it differs']);
});

test('a suggestion that is no number is declined, and told of a device that is not the CPU', async () => {
  for (const [verifiable, told] of [
    [true, 1],
    [false, 0],
  ] as const) {
    const { engine, say, until, count } = service();
    engine.verifiable = verifiable;
    engine.complete = () => Promise.reject(new NumericalError('logits'));
    say.complete('a');
    await until(() => count('declined') === 1);
    assert.equal(count('deviceMismatch'), told);
  }
});

test('what was triggered manually is shown however sure the model is', async () => {
  const { engine, say, until, count } = service();
  say.complete('a');
  await until(() => count('completed') === 1);
  say.complete('a b', false, true);
  await until(() => count('completed') === 2);
  assert.deepEqual(
    engine.asked.map(({ confidence }) => confidence),
    ['usual', 'off'],
  );
});
