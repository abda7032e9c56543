import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FEATURES } from '../../../src/completion/confidence';
import { Postprocessor } from '../../../src/completion/postprocess';
import type { Stop } from '../../../src/completion/stop';
import type { Manifest } from '../../../src/model/manifest';
import type { SyntaxCheckers } from '../../../src/syntax/checker';

/** As sure of everything as `bias` says: its confidence is 1 / (1 + exp(-bias)). */
const weights = (bias: number) => ({ bias, weights: Object.fromEntries(FEATURES.map((name) => [name, 0])) });
const checkers = {
  of: () =>
    Promise.resolve({
      check: (_prefix: string, _suffix: string, all: readonly unknown[]) => all.map(() => ({ parses: false, undeclared: [] })),
      repair: () => undefined,
    }),
} as unknown as SyntaxCheckers; // prettier-ignore

/** What time has cut short is not the last word, whatever else is wrong with what there is of it. */
const table: [name: string, text: string, stop: Stop, bias: number, syntaxCheck: boolean, ends: Stop, reason: RegExp | undefined][] = [
  ['nothing was written', '', 'time', 9, false, 'time', /time .* ran out/],
  ['nothing is to be written', '', 'end', 9, false, 'none', /nothing to add/],
  ['blanks were written', '  \n', 'time', 9, false, 'time', /time .* ran out/],
  ['what was written follows anyway', ';', 'time', 9, false, 'time', /time .* ran out/],
  ['what is written follows anyway', ';', 'end', 9, false, 'none', /follows anyway/],
  ['what was written is not sure', 'load()', 'time', -9, false, 'time', /time .* ran out/],
  ['what is written is not sure', 'load()', 'newline', -9, false, 'none', /not sure enough/],
  ['what was written does not parse', 'load(', 'time', 9, true, 'time', /time .* ran out/],
  ['what is written does not parse', 'load(', 'newline', 9, true, 'none', /can be parsed/],
  ['something was written', 'load()', 'time', 9, false, 'time', undefined],
  ['something is written', 'load()', 'newline', 9, false, 'newline', undefined],
]; // prettier-ignore
for (const [name, text, stop, bias, syntaxCheck, ends, reason] of table) {
  test(`out of time is not the same as nothing to add: ${name} (${stop})`, async () => {
    const postprocessor = new Postprocessor(
      { confidence: weights(bias) as unknown as Manifest['confidence'] },
      checkers,
    );
    const candidate = { text, tokens: [1], logprob: -1, stop, agreement: 1 };
    const request = { path: '/a.ts', prefix: 'const a = ', suffix: ';\n', related: [] };
    const options = { steps: 0, maxLines: 1, candidates: 1, syntaxCheck, confidence: 0.5 };
    const presented = await postprocessor.postprocess(request, [candidate], options);
    assert.equal(presented.stop, ends);
    if (reason) assert.match(presented.reason ?? '', reason);
    else assert.equal(presented.text, text);
  });
}

test('texts that differ in the blanks before them only are one to choose from', async () => {
  const postprocessor = new Postprocessor({ confidence: undefined }, checkers);
  const texts = ['b()', ' b()', '  b()', 'c()', '\n  b()'];
  const candidates = texts.map((text) => ({ text, tokens: [1], logprob: -1, stop: 'newline' as const, agreement: 1 }));
  const request = { path: '/a.ts', prefix: 'a =', suffix: '\n', related: [] };
  const judged = await postprocessor.annotate(request, candidates, false);
  assert.deepEqual(
    judged.map(({ text }) => text),
    ['b()', 'c()', '\n  b()'],
  );
});

test('a text that is repaired until it parses still holds what it covers', async () => {
  const repaired = (text: string) => ({
    of: () => Promise.resolve({ check: () => [{ parses: false, undeclared: [] }], repair: () => text }),
  });
  const request = { path: '/a.ts', prefix: 'f(', suffix: ')\n', related: [] };
  const candidate = { text: 'a, b)', tokens: [1], logprob: -1, stop: 'newline' as const, agreement: 1 };
  const options = { steps: 0, maxLines: 1, candidates: 1, syntaxCheck: true };
  const present = (text: string) =>
    new Postprocessor({ confidence: undefined }, repaired(text) as unknown as SyntaxCheckers).postprocess(
      request,
      [candidate],
      options,
    );
  assert.equal((await present('a)')).text, 'a)');
  assert.equal((await present('a, b')).text, '');
});
