/** When the server prefetches, on a clock that stands still between two keys: no pause of the machine is taken for the user's. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CancellationToken, InlineCompletionTriggerKind } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { InferenceClient } from '../../src/inference/client';
import type { CompletionRequest } from '../../src/inference/messages';
import { Completions } from '../../src/server/completions';
import { prefetchDelayMs } from '../../src/server/schedule';
import { Session } from '../../src/server/session';
import { RefinementScheduler } from '../../src/server/refinementScheduler';

const suggested = 'compute(first, second);';

/** A server at one document whose model suggests the same everywhere, and a user who types at its end. */
function sitting(context: TestContext, early?: string) {
  const { timers } = context.mock;
  timers.enable({ apis: ['setTimeout'] });
  const asked: { request: CompletionRequest; prefetch: boolean }[] = [];
  const result = { text: suggested, replaceSuffix: 0, milliseconds: 0, stop: 'end', candidates: [] };
  const answer = {
    result,
    thought: 0,
    window: { prefixTokens: 0, suffixTokens: 0 },
    refinementRunsWaited: 0,
    refinementRunsAhead: 0,
  };
  let written = () => undefined as void;
  const client = {
    complete: (_uri: string, request: CompletionRequest, _options: unknown, prefetch = false) => {
      asked.push({ request, prefetch });
      if (early === undefined) return { result: Promise.resolve(answer), abort: () => undefined };
      const slow = new Promise<typeof answer>((resolve) => (written = () => resolve(answer)));
      return { result: slow, early: Promise.resolve({ text: early, replaceSuffix: 0 }), abort: () => undefined };
    },
  } as unknown as InferenceClient;
  const silent = { log: () => undefined, rested: () => undefined };
  const refinements = new RefinementScheduler(client, () => undefined, silent);
  const completions = new Completions(client, refinements);
  const session = new Session();
  let document = TextDocument.create('file:///w/a.ts', 'typescript', 1, 'const a = ');

  const ask = async (offset = document.getText().length) => {
    const suggestionOptions = { memory: false, confidence: 'off' } as const;
    const answered = completions.answer(
      {
        document,
        session,
        position: document.positionAt(offset),
        context: { triggerKind: InlineCompletionTriggerKind.Automatic },
        maxLines: 8,
        suggestionOptions,
        before: '',
        related: () => [],
        timeBudget: undefined,
        thinks: true,
      },
      CancellationToken.None,
    );
    await turn();
    // The wait before a run, which is none here.
    timers.tick(0);
    return (await answered).items.map(({ insertText }) => insertText);
  };
  const type = (text: string) => {
    const end = document.positionAt(document.getText().length);
    document = TextDocument.update(document, [{ range: { start: end, end }, text }], document.version + 1);
    completions.changed(document, session);
  };
  const write = async () => {
    written();
    await turn();
  };
  return { completions, ask, type, asked, write, pause: (milliseconds: number) => timers.tick(milliseconds) };
}

test('while the user types on, nothing is prefetched', async (context) => {
  const { completions, ask, type, asked, pause } = sitting(context);
  assert.deepEqual(await ask(), [suggested]);
  for (let typed = 1; typed <= 5; typed++) {
    pause(prefetchDelayMs - 1);
    type(suggested[typed - 1]!);
    // Between the key and the question the suggestion of before stands no more.
    pause(prefetchDelayMs - 1);
    assert.deepEqual(await ask(), [suggested.slice(typed)]);
  }
  assert.deepEqual(completions.tally.prefetch, { runs: 0, served: 0 });
  assert.equal(asked.length, 1);
});

test('a suggestion that has stood for a while is looked beyond, once; what was found serves when it is accepted', async (context) => {
  const { completions, ask, type, asked, pause } = sitting(context);
  await ask();
  pause(prefetchDelayMs);
  assert.deepEqual(completions.tally.prefetch, { runs: 1, served: 0 });
  assert.deepEqual([asked.at(-1)!.request.prefix, asked.at(-1)!.prefetch], [`const a = ${suggested}`, true]);
  await turn();
  pause(100 * prefetchDelayMs);
  assert.equal(asked.length, 2);
  type(suggested);
  assert.deepEqual(await ask(), [suggested]);
  assert.deepEqual(completions.tally.prefetch, { runs: 1, served: 1 });
  assert.equal(asked.length, 2);
});

for (const [early, then] of [
  ['compute(first', [suggested, suggested.slice(1)]],
  ['other();', ['other();', undefined]],
] as const) {
  test(`what the memory is sure of is shown at once: ${early}`, async (context) => {
    const { completions, ask, type, asked, write } = sitting(context, early);
    assert.deepEqual(await ask(), [early]);
    assert.equal(completions.tally.paths.memory, 1);
    await write();
    // The model's text takes its place where it goes on with it, and else serves once something else is typed.
    assert.deepEqual(await ask(), [then[0]]);
    type('c');
    assert.deepEqual(await ask(), [then[1] ?? suggested.slice(1)]);
    assert.equal(asked.length, 1);
  });
}

const ends: [name: string, what: (here: ReturnType<typeof sitting>) => unknown][] = [
  ['a key, also where nothing is asked after it,', ({ type }) => type('x')],
  ['going where nothing is suggested', async ({ ask }) => assert.deepEqual(await ask(3), [])],
];
for (const [name, what] of ends) {
  test(`${name} puts an end to prefetching`, async (context) => {
    const here = sitting(context);
    await here.ask();
    here.pause(prefetchDelayMs - 1);
    await what(here);
    here.pause(100 * prefetchDelayMs);
    assert.equal(here.completions.tally.prefetch.runs, 0);
  });
}
