import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LspClient, root } from './client';

const folder = join(root, 'test/fixtures/sources');

/** A long file: most of it lies outside the window and is thought about. */
const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
const text = sources.join('\n').slice(0, 60_000);

const uri = 'file:///w/src/long.ts';
const rounds = 5;
const keystrokes = 6;

/** Types in the middle of the file while it is being thought about, and waits for each answer. */
async function typing(client: LspClient, thinking: boolean): Promise<{ times: number[]; during: number }> {
  const times: number[] = [];
  let during = 0;
  for (let round = 0; round < rounds; round++) {
    // Another file altogether, so that all of it is thought about again.
    const lines = text.split('\n').map((line) => line.replaceAll('const', `const r${round}`));
    await client.change(uri, { text: lines.join('\n') });
    const line = lines.length >> 1;
    const start = { line, character: 0 };
    await client.type(uri, start, '\n');
    await client.complete(uri, start);
    if (thinking) await client.until(() => client.status?.state === 'thinking', 'thinking');
    for (let i = 0; i < keystrokes; i++) {
      // Hardly a suggestion goes on like this: each keystroke asks the model.
      await client.type(uri, { line, character: i }, 'qzxjvkwy'[(i + round) % 8]!);
      const before = client.status?.state;
      const begin = performance.now();
      await client.complete(uri, { line, character: i + 1 });
      times.push(performance.now() - begin);
      if (before === 'thinking') during++;
    }
  }
  return { times, during };
}

const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * values.length)]!;

test('keystrokes while refinement runs wait for one of its runs at most', async (t) => {
  const client = await LspClient.start({ settings: { inferenceSteps: 32 } });
  await client.open(uri, text);
  await client.ready();
  const { times, during } = await typing(client, true);
  const { refinementRunsWaited: waited, refinementRunsAhead: ahead, paths } = await client.statistics();
  assert.ok(during >= rounds * 2, `only ${during} keystrokes met a refinement`);
  const decodings = waited.reduce((sum, count) => sum + count, 0);
  assert.ok(
    decodings >= times.length,
    `${decodings} decodings of ${times.length} keystrokes: ${JSON.stringify(paths)}`,
  );
  // No run begins before a request that has arrived. One that is written while a run goes on may arrive while the next
  // does, and how often it does is the machine's affair: a busy one needs as long for a message as for a run.
  const story = `waited for 0, 1, 2 … runs: ${waited.join(', ')}`;
  assert.equal(ahead, 0, story);
  assert.ok(waited.length <= 4, story);

  await client.configure({ inferenceSteps: 0 });
  const without = await typing(client, false);
  t.diagnostic(
    `${during} of ${times.length} keystrokes while refinement ran; waited for 0, 1, 2 … of its runs: ${waited.join(', ')}`,
  );
  t.diagnostic(
    `P90 with refinement ${percentile(times, 0.9).toFixed(0)} ms, without ${percentile(without.times, 0.9).toFixed(0)} ms`,
  );
  await client.stop();
});
