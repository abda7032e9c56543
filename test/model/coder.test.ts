/** The code model as it was got and adopted, on frozen texts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Engine, type CompletionOptions } from '../../src/completion/engine';
import { coder } from '../coder';
import { ROOT } from '../fixtures';

const { directory, skip } = coder;
const options: CompletionOptions = { steps: 0, maxLines: 1, candidates: 1 };

// Each test is skipped by itself, so that it is named.
const how = { skip, timeout: 120_000 };

describe('the code model', () => {
  test('is its makers’, and says so in its licence', how, () => {
    assert.match(readFileSync(join(directory, 'README.md'), 'utf8'), /Qwen2\.5-Coder-0\.5B-Instruct/);
    assert.match(readFileSync(join(directory, 'LICENSE'), 'utf8'), /Apache License\s+Version 2\.0/);
  });

  test('writes a line as it stands in a file that it has never seen', how, async () => {
    const path = 'test/fixtures/project/src/harbour.ts';
    const text = readFileSync(join(ROOT, path), 'utf8');
    const at = text.indexOf('const visit of this.visits.values()) {');
    const engine = await Engine.open(directory, { device: 'cpu' });
    try {
      const request = { path, prefix: text.slice(0, at), suffix: text.slice(text.indexOf('\n', at)), related: [] };
      const { text: written } = await engine.complete(request, options);
      assert.equal(written, 'const visit of this.visits.values()) {');
    } finally {
      await engine.close();
    }
  });

  test('is told by the memory what stands in an open file, before it writes itself', how, async () => {
    const said = 'export const harbourMaster = appointHarbourMaster(registry, licences, { until: midnight });\n';
    const request = {
      path: 'b.ts',
      prefix: `const a = 1;\nfunction b() {\n  ${said}}\nfunction c() {\n  export const harbourMaster = `,
      suffix: '\n}\n',
      related: [{ path: 'a.ts', text: `function a() {\n  ${said}}\n` }],
    };
    const engine = await Engine.open(directory, { device: 'cpu' });
    try {
      const { text } = (await engine.early(request, options)) ?? {};
      assert.equal(text, 'appointHarbourMaster(registry, licences, { until: midnight });');
      // At the beginning of a line, too, where the text's own tokens are others than those that are written.
      const begun = { ...request, prefix: request.prefix.slice(0, -'export const harbourMaster = '.length) };
      assert.equal((await engine.early({ ...begun, related: [] }, options))?.text, said.trimEnd());
      assert.equal(await engine.early(request, { ...options, memory: false }), undefined);
      const unknown = { ...request, prefix: 'const nothing = ', related: [] };
      assert.equal(await engine.early(unknown, options), undefined);
    } finally {
      await engine.close();
    }
  });
});
