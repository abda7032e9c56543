import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundle, dist, LspClient, frozen } from './client';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-thinking-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const text = ['src/thought/refine.ts', 'src/completion/window.ts']
  .map((name) => readFileSync(join(frozen, name), 'utf8'))
  .join('\n');
const lines = text.split('\n');

test('triggered manually, the suggestion is what the command line gives for the same document, steps and bundle', async () => {
  mkdirSync(join(folder, 'src'));
  const file = join(folder, 'src', 'both.ts');
  writeFileSync(file, text);
  const uri = pathToFileURL(file).href;
  for (const steps of [0, 3]) {
    const client = await LspClient.start({ settings: { inferenceSteps: steps } });
    await client.ready();
    await client.open(uri, text);
    let compared = 0;
    for (let line = 150; line < lines.length && compared < 2; line += 7) {
      const character = lines[line]!.length;
      // Each place in a session of its own: a thought that has followed the cursor is another.
      await client.close(uri);
      await client.open(uri, text);
      const [item] = await client.complete(uri, { line, character }, { invoked: true });
      const place = `${file}:${line + 1}:${character + 1}`;
      const options = ['--json', '--steps', `${steps}`, '--model', bundle, '--device', 'cpu'];
      const told = execFileSync(process.execPath, [join(dist, 'cli.js'), 'complete', place, ...options]);
      const { completion } = JSON.parse(told.toString()) as { completion: string };
      assert.equal((item?.insertText as string | undefined) ?? '', completion, `${steps} steps at ${place}`);
      if (completion !== '') compared++;
    }
    assert.ok(compared > 0, 'no suggestion to compare');
    await client.stop();
  }
});

test('the thought follows edits warm: only what changed is evaluated again', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 4 } });
  const uri = 'file:///w/src/both.ts';
  await client.ready();
  await client.open(uri, text);
  const cursor = { line: lines.length - 2, character: 0 };
  await client.complete(uri, cursor, { invoked: true });
  const cold = await client.thought(uri);
  assert.ok(cold.trace.chunks.length >= 4 && cold.trace.nll.length === cold.trace.steps + 1);
  // Into a chunk that is not held out and is not the first: what changes is in the evidence.
  const chunk = cold.trace.chunks.filter(({ heldOut }) => !heldOut).at(1)!;
  await client.type(uri, { line: chunk.line, character: 0 }, 'const edited = true;\n');
  const warm = await client.thought(uri, ({ trace }) => JSON.stringify(trace) !== JSON.stringify(cold.trace));
  assert.ok(warm.trace.steps <= 2, `${warm.trace.steps} steps`);
  assert.ok(warm.trace.runs < cold.trace.runs, `${warm.trace.runs} runs after ${cold.trace.runs}`);
  assert.equal(warm.steps, 4);
  await client.stop();
});

test('other open files are evidence, and those of languages that are off are not', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 1 } });
  await client.ready();
  await client.open('file:///w/src/beside.ts', text);
  await client.open('file:///w/README.md', '# Readme\n\n'.concat('Some words about it.\n'.repeat(100)), 'markdown');
  const uri = 'file:///w/src/small.ts';
  await client.open(uri, 'export const value = 1;\n');
  await client.complete(uri, { line: 0, character: 23 }, { invoked: true });
  const { trace } = await client.thought(uri);
  assert.deepEqual([...new Set(trace.chunks.map(({ path }) => path))], ['/w/src/beside.ts']);
  await client.stop();
});

test('a file that fits the window leaves nothing to think about, and that is no reason to think again and again', async () => {
  const client = await LspClient.start();
  await client.ready();
  const uri = 'file:///w/src/tiny.ts';
  await client.open(uri, 'let a = 1;\n');
  await client.complete(uri, { line: 0, character: 10 }, { invoked: true });
  const { trace } = await client.thought(uri);
  assert.deepEqual([trace.steps, trace.chunks.length], [0, 0]);
  const told = client.statuses.length;
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(client.statuses.length, told);
  assert.equal(client.status?.state, 'ready');
  await client.stop();
});
