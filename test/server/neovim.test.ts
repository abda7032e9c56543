/** The real Neovim as a client, where there is one (`nvim` on the path, or the one that THOUGHTLINE_NVIM names). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundle, dist, root } from './client';

const nvim = process.env['THOUGHTLINE_NVIM'] ?? 'nvim';
/** `vim.lsp.config` came with 0.11. */
const [, minor = '0'] = /^NVIM v0\.(\d+)/.exec(spawnSync(nvim, ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? [];
const missing = Number(minor) >= 11 ? false : 'there is no Neovim 0.11 or newer here (THOUGHTLINE_NVIM)';

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-neovim-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Outcome {
  neovim: string;
  server: { name: string; version: string };
  text: string;
  line: string;
  accepted: { suggestions: number; characters: number };
}

test('the configuration of docs/lsp.md starts the server; a suggestion is taken and counted', { skip: missing }, () => {
  const file = join(scratch, 'add.ts');
  mkdirSync(join(scratch, '.git'));
  writeFileSync(file, 'export function add(first: number, second: number): number {\n  return \n}\n');
  const words = ['--headless', '-u', 'NONE', '-l', join(__dirname, 'neovim.lua'), join(dist, 'server.js'), bundle, file, '2'];
  // Nothing of the user's own Neovim is read or written.
  const own = Object.fromEntries(['CONFIG', 'DATA', 'STATE', 'CACHE'].map((name) => [`XDG_${name}_HOME`, scratch]));
  const { status, stdout, stderr } = spawnSync(nvim, words, { cwd: scratch, encoding: 'utf8', timeout: 300_000, env: { ...process.env, ...own } });
  assert.equal(status, 0, stderr);
  // With -l Neovim prints to standard error.
  const outcome = JSON.parse(/^\{.*\}$/m.exec(stdout + stderr)![0]) as Outcome;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.deepEqual(outcome.server, { name: 'thoughtline', version });
  assert.ok(outcome.text.length > 0);
  assert.equal(outcome.line, `  return ${outcome.text.split('\n')[0]}`);
  assert.deepEqual(outcome.accepted, { suggestions: 1, characters: outcome.text.length });
}); // prettier-ignore
