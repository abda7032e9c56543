/** What the thoughts about a workspace's files have in common, over a real server and between two of its sessions. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LspClient, frozen } from './client';

const storage = mkdtempSync(join(tmpdir(), 'thoughtline-storage-'));
after(() => rmSync(storage, { recursive: true, force: true }));

const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
const uriOf = (name: string) => `file:///workspace/src/${name}.ts`;
/** Enough of a file for evidence outside the window, another for each name. */
const open = (client: LspClient, name: string) => client.open(uriOf(name), `// ${name}\n${text}\n${text}`);

test(
  'a new file begins with the workspace’s thought, which is kept for the next session',
  { timeout: 300_000 },
  async () => {
    const first = await LspClient.start({ settings: { inferenceSteps: 1 }, storage });
    await first.ready();
    for (const name of ['a', 'b', 'c']) {
      await open(first, name);
      const { startedFrom, trace } = await first.thought(uriOf(name));
      assert.equal(startedFrom, name === 'c' ? 'workspace' : 'prior', name);
      assert.ok(trace.nll.length > 1);
    }
    const file = join(storage, 'workspace.thought');
    await first.until(() => existsSync(file), 'the thought to be written');
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(file, 'latin1'), /workspace\/src|refine|import/);
    assert.equal(await first.stop(), 0);

    const second = await LspClient.start({ settings: { inferenceSteps: 1 }, storage });
    await second.ready();
    await open(second, 'd');
    assert.equal((await second.thought(uriOf('d'))).startedFrom, 'workspace');
    assert.equal(await second.stop(), 0);
  },
);
