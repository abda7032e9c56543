/** What people see before they install it: the page of the marketplaces, the manifest's links, the changelog. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../fixtures';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  version: string;
  description: string;
  repository: { url: string };
  bugs: { url: string };
  homepage: string;
  qna: string;
  categories: string[];
  keywords: string[];
  enabledApiProposals?: unknown;
  bin: Record<string, string>;
  contributes: {
    commands: { command: string }[];
    menus: { commandPalette: { command: string; when: string }[] };
    configuration: { title: string; properties: Record<string, { order: number }> }[];
  };
};
const site = manifest.repository.url.replace(/\.git$/, '');

/** Addresses of a page: pictures, and other links. */
function links(text: string): { address: string; picture: boolean }[] {
  return [...text.matchAll(/(!?)\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, mark, address]) => ({
    address: address!,
    picture: mark === '!',
  }));
}

describe('the manifest', () => {
  test('says where the sources are, where faults are told, and where questions are asked', () => {
    assert.match(site, /^https:\/\/github\.com\/[\w-]+\/[\w-]+$/);
    assert.equal(manifest.bugs.url, `${site}/issues`);
    assert.equal(manifest.homepage, `${site}#readme`);
    assert.equal(manifest.qna, `${site}/discussions`);
  });

  test('is found under what it is, in words that people look for', () => {
    assert.deepEqual(manifest.categories, ['AI', 'Programming Languages', 'Machine Learning']);
    for (const word of ['ghost text', 'local', 'offline']) assert.ok(manifest.keywords.includes(word), word);
    for (const word of ['no account', 'no network', 'no telemetry']) assert.ok(manifest.description.includes(word));
    assert.equal(manifest.enabledApiProposals, undefined, 'marketplaces take no extension that has any');
  });

  test('the palette offers what can be done; what it goes by is set by the extension or the editor', () => {
    const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
    const source = read('src/extension/extension.ts');
    const guards = manifest.contributes.menus.commandPalette;
    assert.ok(guards.length > 0);
    for (const { command, when } of guards) {
      assert.ok(commands.has(command), command);
      for (const [key] of when.matchAll(/[\w.]+/g)) {
        const known = key === 'editorIsOpen' || /^config\.thoughtline\.\w+$/.test(key);
        assert.ok(known || source.includes(`'setContext', '${key}'`), `${command}: ${key}`);
      }
    }
  });

  test('settings are in groups that have titles, each in one', () => {
    const { configuration } = manifest.contributes;
    assert.ok(configuration.length > 1);
    const words = JSON.parse(read('package.nls.json')) as Record<string, string>;
    for (const { title, properties } of configuration) {
      assert.ok(words[title.replaceAll('%', '')], title);
      assert.ok(Object.keys(properties).length > 0, title);
    }
    const names = configuration.flatMap(({ properties }) => Object.keys(properties));
    assert.equal(new Set(names).size, names.length);
  });
});

describe('the pages', () => {
  test('the marketplaces’ is short, and every picture and link of it is there', () => {
    const page = read('MARKETPLACE.md');
    assert.ok(page.split(/\s+/).length <= 600);
    const found = links(page);
    assert.ok(found.filter(({ picture }) => picture).length >= 2);
    for (const { address, picture } of found) {
      if (address.startsWith('https://')) assert.ok(address.startsWith(site), address);
      else assert.ok(existsSync(join(ROOT, address)), address);
      if (picture) assert.match(address, /\.(png|gif|jpe?g)$/, 'marketplaces show no SVG');
    }
  });

  test('README has at most 900 words', () => {
    const words = read('README.md').split(/\s+/).filter(Boolean).length;
    assert.ok(words <= 900, `${words}`);
  });
});

test('the changelog is in the form of Keep a Changelog, newest first, and knows this version', () => {
  const text = read('CHANGELOG.md');
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);
  const versions = headings.filter((heading) => heading !== 'Unreleased').map((heading) => {
    const [, version, date] = /^(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$/.exec(heading) ?? [];
    assert.ok(version && date, heading);
    return { version, date };
  }); // prettier-ignore
  assert.ok(headings.indexOf('Unreleased') <= 0, 'what is not released comes first');
  assert.equal(versions[0]!.version, manifest.version);
  const dates = versions.map(({ date }) => date);
  assert.deepEqual(dates, [...dates].sort().reverse());
  const kinds = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
  for (const [, kind] of text.matchAll(/^### (.*)$/gm)) assert.ok(kinds.includes(kind!), kind);
});

test('the npm package has both commands and nano, and nothing of sources, tests or the extension', () => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' });
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string; mode: number }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of [...Object.values(manifest.bin), 'dist/inference.js', 'dist/serving.js', 'dist/obtain.js', 'dist/kernel.wasm', 'models/nano/manifest.json', 'models/coder.json', 'README.md', 'LICENSE']) {
    assert.ok(paths.includes(path), path);
  }
  const foreign = /^(src|test|train|lab|scripts|kernel|media|deploy|docs)\/|^dist\/(extension|client|lab)\.js$|\.(map|ts)$|models\/tiny/;
  assert.deepEqual(paths.filter((path) => foreign.test(path)), []);
  for (const path of Object.values(manifest.bin)) assert.match(read(path), /^#!\/usr\/bin\/env node\n/);
}); // prettier-ignore
