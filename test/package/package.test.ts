/** What is packed, for each platform. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isPermissive, packageFolder, programs } from '../../scripts/shipped';
import { assess, readReport, type AuditReport } from '../../scripts/audit';
import { NATIVE_PLATFORMS, PLATFORMS, WASM_PLATFORMS } from '../../src/model/platform';
import { EMBEDDED_GRAMMARS, LANGUAGES } from '../../src/languages';
import { ROOT } from '../fixtures';
import { LspClient } from '../server/client';
import { pretending } from '../server/machines';
import { sha256, unzip } from './zip';

/** Languages whose suggestions can be parsed. */
const GRAMMARS = ['javascript', 'typescript', 'tsx', 'python'];

/** Grammars that tell comments and strings; that of PHP's files is a part of the server. */
const TEXTMATE = new Set([...Object.values(LANGUAGES).flatMap(({ textMate }) => textMate ?? []), ...EMBEDDED_GRAMMARS]);
TEXTMATE.delete('text.html.php');

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-package-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Packs in a process of its own, as `npm run package` does. */
function pack(target: string, name: string): Buffer {
  const out = join(scratch, name);
  const words = ['--import=tsx', 'scripts/package.ts', '--target', target, '--out', out];
  execFileSync(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  return readFileSync(out);
}

const sums = (archive: Buffer) => [...unzip(archive)].map(([name, content]) => `${sha256(content)} ${name}`);

describe('the VSIX', () => {
  const packed = new Map<string, Buffer>();
  before(
    () => {
      for (const target of PLATFORMS) packed.set(target, pack(target, `${target}.vsix`));
    },
    { timeout: 1_200_000 },
  );

  const isLibrary = (name: string) => /\.(node|dll|dylib|so)(\.[\d.]+)?$/.test(name);

  for (const target of NATIVE_PLATFORMS) {
    test(`${target}: its own library and no other, and no WebAssembly of the model's`, () => {
      const names = [...unzip(packed.get(target)!).keys()];
      const libraries = names.filter(isLibrary);
      const folder = `extension/node_modules/onnxruntime-node/bin/napi-v6/${target.replace('-', '/')}/`;
      assert.deepEqual(
        libraries.filter((name) => !name.startsWith(folder)),
        [],
      );
      assert.ok(libraries.some((name) => name.endsWith('onnxruntime_binding.node')));
      assert.ok(libraries.some((name) => /(libonnxruntime\.(so\.1|1\.dylib)|\/onnxruntime\.dll)$/.test(name)));
      assert.ok(!names.some((name) => name.includes('onnxruntime-web')));
    });
  }

  for (const target of WASM_PLATFORMS) {
    test(`${target}: no library, and of the WebAssembly build what Node.js loads`, () => {
      const files = unzip(packed.get(target)!);
      const names = [...files.keys()];
      assert.deepEqual(names.filter(isLibrary), []);
      assert.ok(!names.some((name) => name.includes('onnxruntime-node')));
      const web = names.filter((name) => name.includes('/onnxruntime-web/')).map((name) => name.split('-web/')[1]);
      const loaded = ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm', 'ort.node.min.mjs'];
      assert.deepEqual(web, [...loaded.map((name) => `dist/${name}`), 'package.json']);
      // What differs from the other ones is the platform's name.
      const others = unzip(packed.get(WASM_PLATFORMS[0])!);
      assert.deepEqual([...others.keys()], names);
      for (const [name, content] of files) {
        if (name !== 'extension.vsixmanifest') assert.equal(sha256(content), sha256(others.get(name)!), name);
      }
    });
  }

  for (const target of PLATFORMS) {
    test(`${target}: nothing of the sources, no program without its list`, () => {
      const names = [...unzip(packed.get(target)!).keys()];
      assert.deepEqual(
        names.filter((name) =>
          /cuda|tensorrt|\.ts$|\.map$|^extension\/(src|test|train|scripts|shared)\/|\.env|meta\.json/.test(name),
        ),
        [],
      );
      const inDist = names.filter((name) => name.startsWith('extension/dist/')).map((name) => name.slice(15));
      assert.deepEqual(
        inDist.sort(),
        [
          ...programs.map((name) => `${name}.js`),
          ...['tree-sitter', ...GRAMMARS.map((name) => `tree-sitter-${name}`)].map((name) => `grammars/${name}.wasm`),
          ...[...TEXTMATE].map((name) => `textmate/${name}.json`),
          'textmate/onig.wasm',
          'THIRD-PARTY-NOTICES.txt',
          'kernel.wasm',
          'sbom.cdx.json',
        ].sort(),
      );
    });

    test(`${target}: the model that comes along and where the other can be had, in 60 MB at most`, () => {
      const archive = packed.get(target)!;
      const names = [...unzip(archive).keys()];
      const folders = names.flatMap((name) => /^extension\/models\/(\w+)\/manifest/.exec(name)?.[1] ?? []);
      assert.deepEqual(folders, ['nano']);
      const beside = names.filter((name) => /^extension\/models\/[^/]+$/.test(name)).map((name) => name.slice(17));
      assert.deepEqual(beside.sort(), [
        'Apache-2.0.txt',
        'coder-channel-importance.bin',
        'coder-quantisation.md',
        'coder.json',
        'plain-text.txt',
      ]);
      assert.ok(archive.length <= 60e6, `${(archive.length / 1e6).toFixed(1)} MB`);
    });

    test(`${target}: pictures and links of its pages are whole addresses, those of this version`, () => {
      const files = unzip(packed.get(target)!);
      const { version, repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
        version: string;
        repository: { url: string };
      };
      const site = repository.url.replace(/\.git$/, '');
      for (const name of ['readme.md', 'changelog.md']) {
        const page = files.get(`extension/${name}`)!.toString();
        const addresses = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, address]) => address!);
        assert.ok(addresses.length > 0, name);
        for (const address of addresses) assert.match(address, /^https:\/\//, name);
        const own = addresses.filter((address) => /^(blob|raw)\//.test(address.replace(`${site}/`, '')));
        for (const address of own) assert.ok(address.includes(`/v${version}/`), address);
      }
      assert.match(files.get('extension/readme.md')!.toString(), /^# Thoughtline\n\n\*\*Ghost text/);
    });

    test(`${target}: the editor is told that it is for no other platform`, () => {
      const manifest = unzip(packed.get(target)!).get('extension.vsixmanifest')!.toString();
      assert.match(manifest, new RegExp(`TargetPlatform="${target}"`));
    });
  }

  for (const target of [NATIVE_PLATFORMS[0], WASM_PLATFORMS[0]]) {
    test(`${target}: the same commit gives the same file, byte for byte`, () => {
      const [first, second] = [packed.get(target)!, pack(target, 'again.vsix')];
      assert.deepEqual(sums(second), sums(first));
      assert.equal(sha256(second), sha256(first));
    });

    test(`${target}: no path of the machine that packed it is in a program`, () => {
      for (const [name, content] of unzip(packed.get(target)!)) {
        if (/^extension\/dist\//.test(name)) assert.ok(!content.includes(ROOT), name);
      }
    });

    test(`${target}: notices and bill of materials name every package of others`, () => namesPackages(target));
  }

  for (const [target, machine] of [
    ['darwin-x64', 'darwin'],
    ['alpine-x64', 'alpine'],
  ] as const) {
    test(`${target}: unpacked on such a machine it suggests, by what is in it alone`, async () => {
      const folder = join(scratch, target);
      for (const [name, content] of unzip(packed.get(target)!)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
      const extension = join(folder, 'extension');
      const client = await LspClient.start({
        program: join(extension, 'dist/server.js'),
        cwd: extension,
        bundle: join(extension, 'models/nano'),
        environment: pretending([machine]),
      });
      const uri = 'file:///w/a.ts';
      await client.open(uri, 'export function add(first: number, second: number): number {\n  return \n}\n');
      await client.ready();
      assert.equal(client.status!.device, 'wasm');
      const items = await client.complete(uri, { line: 1, character: 9 }, { invoked: true });
      assert.ok(items.length > 0);
      assert.equal(await client.stop(), 0);
    });
  }

  function namesPackages(target: string) {
    const files = unzip(packed.get(target)!);
    const notices = files.get('extension/dist/THIRD-PARTY-NOTICES.txt')!.toString();
    const bill = JSON.parse(files.get('extension/dist/sbom.cdx.json')!.toString()) as {
      bomFormat: string;
      components: {
        type: string;
        name: string;
        version: string;
        purl: string;
        licenses: { expression: string }[];
        hashes?: unknown[];
      }[];
    };
    assert.equal(bill.bomFormat, 'CycloneDX');
    // Those that package.json and sources name; what they bring along is found by esbuild.
    const [build, other] = target === WASM_PLATFORMS[0] ? ['web', 'node'] : ['node', 'web'];
    const named = [`onnxruntime-${build}`, 'onnxruntime-common', 'zod', '@huggingface/tokenizers', 'tm-grammars'];
    const spoken = ['vscode-languageclient', 'vscode-languageserver', 'vscode-jsonrpc', 'vscode-textmate'];
    for (const name of [...named, ...spoken]) {
      assert.ok(
        bill.components.some((component) => component.name === name),
        name,
      );
    }
    const libraries = bill.components.filter(({ type }) => type === 'library');
    for (const { name, version, purl, licenses, hashes } of libraries) {
      assert.ok(notices.includes(`${name} ${version} (${licenses[0]!.expression})`), name);
      assert.equal(purl, `pkg:npm/${name.replace('@', '%40')}@${version}`);
      assert.equal(hashes?.length, 1, name);
    }
    assert.equal(notices.match(/^=+\n.* \(.*\)\n=+$/gm)?.length, libraries.length);
    // The model that a user can get is named with its licence, and is not there.
    const [model, ...more] = bill.components.filter(({ type }) => type !== 'library');
    assert.deepEqual(
      [model?.name, model?.licenses[0]?.expression, more],
      ['Qwen2.5-Coder-0.5B-Instruct', 'Apache-2.0', []],
    );
    assert.match(
      notices,
      /Qwen2\.5-Coder-0\.5B-Instruct, a model that you can get[\s\S]*Copyright Alibaba Cloud[\s\S]*Apache License/,
    );
    assert.ok(![...files.keys()].some((name) => name.endsWith('.gguf')));
    assert.match(notices, /Copyright \(c\) Microsoft Corporation/);
    // A formatter or a test runner is not in it.
    for (const tool of ['prettier', 'esbuild', 'fast-check', 'yauzl', `onnxruntime-${other}`]) {
      assert.ok(!bill.components.some(({ name }) => name === tool), tool);
    }
    assert.equal(/Native libraries of ONNX Runtime/.test(notices), build === 'node');
    assert.equal(/WebAssembly module of ONNX Runtime/.test(notices), build === 'web');
  }
});

describe('licences', () => {
  const cases: [string, boolean][] = [
    ['MIT', true],
    ['Apache-2.0', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND BSD-3-Clause', true],
    ['MIT AND GPL-2.0-only', false],
    ['GPL-3.0-only', false],
    ['LGPL-2.1', false],
    ['SEE LICENSE IN LICENSE', false],
    ['UNLICENSED', false],
    ['', false],
  ];
  for (const [licence, permissive] of cases) {
    test(`${licence || 'none'}: ${permissive ? 'may' : 'must not'} ship`, () =>
      assert.equal(isPermissive(licence), permissive));
  }

  test('a file belongs to the innermost package', () => {
    assert.equal(packageFolder('node_modules/a/node_modules/@s/b/lib/x.js'), 'node_modules/a/node_modules/@s/b');
    assert.equal(packageFolder('node_modules/a/index.js'), 'node_modules/a');
    assert.equal(packageFolder('src/model/lru.ts'), undefined);
  });
});

describe('known vulnerabilities', () => {
  const finding = (name: string, severity: string, ...nodes: string[]) => ({ [name]: { name, severity, nodes } });
  const ships = (folder: string) => folder === 'node_modules/zod';

  test('fail where they are high and ship; others are counted', () => {
    const report: AuditReport = {
      vulnerabilities: {
        ...finding('zod', 'critical', 'node_modules/zod', 'node_modules/x/node_modules/zod'),
        ...finding('eslint', 'critical', 'node_modules/eslint'),
      },
    };
    assert.deepEqual(assess(report, ships), { failing: ['zod: critical, in node_modules/zod'], others: 1 });
    const mild = { vulnerabilities: finding('zod', 'moderate', 'node_modules/zod') };
    assert.deepEqual(assess(mild, ships), { failing: [], others: 1 });
    assert.deepEqual(assess({ vulnerabilities: {} }, ships), { failing: [], others: 0 });
  });

  test('what is no report is not taken for a clean one', () => {
    for (const output of [
      '',
      'null',
      '{"message":"405 Method Not Allowed"}',
      '<html>',
      '{"error":{"code":"ENOAUDIT"}}',
    ]) {
      assert.equal(readReport(output), undefined);
    }
    assert.ok(readReport('{"vulnerabilities":{}}'));
  });
});
