/** Bundles that somebody made to do harm. Each is built here out of the tiny one, with sizes and SHA-256 in order. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Engine } from '../../src/completion/engine';
import { UserError } from '../../src/model/errors';
import { checkGraph } from '../../src/model/graphCheck';
import type { Manifest } from '../../src/model/manifest';
import { TINY } from '../fixtures';
import { BUILDS, BUNDLES, copyOfTiny, withScratch } from './bundles';

/** A field of a Protocol Buffers message: a number, or a text, bytes, or fields in it. */
function field(number: number, content: bigint | string | Uint8Array | Uint8Array[]): Buffer {
  if (typeof content === 'bigint') return Buffer.concat([varint(BigInt(number) << 3n), varint(content)]);
  const bytes = Buffer.concat(Array.isArray(content) ? content : [Buffer.from(content)]);
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

// The parts of onnx.proto that are needed here. Messages written one after the other are one message.
const graph = (...parts: Buffer[]) => field(7, parts);
const node = (operator: string, domain: string, ...attributes: Buffer[]) =>
  field(1, [field(4, operator), field(7, domain), ...attributes]);
const branch = (...parts: Buffer[]) => field(5, [field(1, 'then_branch'), field(6, parts), field(20, 5n)]);
const tensor = (...parts: Buffer[]) => field(5, [field(2, 1n), field(8, 'evil'), ...parts]);
const shape = (...dimensions: bigint[]) => field(1, Buffer.concat(dimensions.map(varint)));
const outside = (entries: Record<string, string>) =>
  Buffer.concat([
    ...Object.entries(entries).map(([key, value]) => field(13, [field(1, key), field(2, value)])),
    field(14, 1n),
  ]);

async function changeManifest(directory: string, change: (manifest: Manifest) => void): Promise<void> {
  const path = join(directory, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

/** Changes a file of a bundle, and its manifest with it. */
async function forge(directory: string, name: keyof Manifest['files'], change: (content: Buffer) => Buffer) {
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Manifest;
  const path = join(directory, manifest.files[name]!.path);
  const content = change(await readFile(path));
  await writeFile(path, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  await changeManifest(directory, ({ files }) => Object.assign(files[name]!, { bytes: content.length, sha256 }));
}

const forgeTop = (change: (content: Buffer) => Buffer) => (directory: string) => forge(directory, 'top', change);
const append = (...parts: Buffer[]) => forgeTop((content) => Buffer.concat([content, ...parts]));
const relocate = (location: string) =>
  forgeTop((content) => {
    assert.equal(location.length, 'weights.bin'.length);
    return Buffer.from(content.toString('latin1').replaceAll('weights.bin', location), 'latin1');
  });

/** Replaces a file of a bundle by a link to it, elsewhere. */
const linkOut = (name: string) => async (directory: string) => {
  const elsewhere = `${directory}-${name}`;
  await rename(join(directory, name), elsewhere);
  await symlink(elsewhere, join(directory, name));
};

const nested = (depth: number): Buffer => {
  let inner = node('Identity', '');
  for (let level = 0; level < depth; level++) inner = node('If', '', branch(inner));
  return inner;
};

const table: [name: string, harm: (directory: string) => Promise<void>, message: RegExp][] = [
  // Files that are not the bundle's own.
  ['a graph that is a link out of the folder', linkOut('top.onnx'), /top\.onnx: it is a link that leads out/],
  ['weights that are a link out', linkOut('weights.bin'), /weights\.bin: it is a link that leads out/],
  ['a manifest that is a link out', linkOut('manifest.json'), /manifest\.json: it is a link that leads out/],
  ['weights in a system file', relocate('/etc/passwd'), /top\.onnx: tensor ".*" lies in "\/etc\/passwd" instead of/],
  ['weights above the folder', relocate('../../x.bin'), /lies in "\.\.\/\.\.\/x\.bin" instead of weights\.bin/],
  ['weights in another file of the bundle', relocate('./prior.bin'), /lies in "\.\/prior\.bin" instead of/],
  [
    'weights at an address in memory',
    append(graph(tensor(outside({ location: '*/_ORT_MEM_ADDR_/*', offset: '4096', length: '64' })))),
    /tensor "evil" lies in "\*\/_ORT_MEM_ADDR_\/\*" instead of/,
  ],
  ['weights nowhere', append(graph(tensor(outside({ offset: '0' })))), /tensor "evil" lies in "" instead of/],
  [
    'weights beyond the end of their file',
    append(graph(tensor(outside({ location: 'weights.bin', offset: '622560', length: '4096' })))),
    /tensor "evil" lies beyond the end of weights\.bin/,
  ],
  [
    'an offset that is no number',
    append(graph(tensor(outside({ location: 'weights.bin', offset: '-4096', length: '64' })))),
    /tensor "evil" lies beyond the end/,
  ],
  [
    'data outside in an attribute',
    append(graph(node('Constant', '', field(5, [field(1, 'value'), tensor(outside({ location: '/etc/hosts' }))])))),
    /tensor "evil" lies in "\/etc\/hosts"/,
  ],
  [
    'data outside in a sparse tensor',
    append(graph(field(15, [field(1, [field(8, 'evil'), outside({ location: '/etc/hosts' })])]))),
    /tensor "evil" lies in "\/etc\/hosts"/,
  ],

  // Sizes.
  [
    'a huge tensor',
    append(graph(tensor(shape(2n ** 40n)))),
    /tensor "evil" claims 1099511627776 elements in \d+ bytes/,
  ],
  [
    'a huge tensor by many dimensions',
    append(graph(tensor(shape(...Array.from({ length: 24 }, () => 1000n))))),
    /claims 10{72} elements/,
  ],
  ['a negative dimension', append(graph(tensor(shape(-1n)))), /claims 18446744073709551615 elements/],
  ['too many dimensions', append(graph(tensor(shape(...Array<bigint>(999).fill(1n))))), /has 999 dimensions/],
  [
    'a huge tensor in the weights file',
    append(graph(tensor(shape(2n ** 40n), outside({ location: 'weights.bin', offset: '0', length: '4096' })))),
    /claims 1099511627776 elements in 4096 bytes/,
  ],
  [
    'a petabyte of weights',
    (d) => changeManifest(d, ({ files }) => (files.weights.bytes = 2 ** 50)),
    /files\.weights\.bytes: /,
  ],
  [
    'a tokenizer that fills the memory',
    (d) => changeManifest(d, ({ files }) => (files.tokenizer.bytes = 2 ** 35)),
    /files\.tokenizer\.bytes: /,
  ],
  [
    'a huge window',
    (d) => changeManifest(d, ({ window }) => (window.tokens = 2 ** 40)),
    /manifest\.json: window\.tokens: /,
  ],
  [
    'a token of a huge number',
    (d) =>
      forge(d, 'tokenizer', (content) => {
        const tokenizer = JSON.parse(content.toString()) as { model: { vocab: Record<string, number> } };
        tokenizer.model.vocab['evil'] = 2 ** 40;
        return Buffer.from(JSON.stringify(tokenizer));
      }),
    /tokenizer\.json: .*1099511627776 is no token id/,
  ],
  [
    'a manifest that fills the memory',
    async (d) => writeFile(join(d, 'manifest.json'), ' '.repeat(2 ** 20 + 1)),
    /manifest\.json: 1048577 bytes are too many/,
  ],
  ['compressed data', forgeTop(gzipSync), /top\.onnx: .*; install the model again/],

  // Code.
  [
    'an operator of a library',
    append(graph(node('PyOp', 'ai.onnx.contrib'))),
    /top\.onnx: operator "PyOp" is of the foreign domain "ai\.onnx\.contrib"/,
  ],
  ['a library', append(field(8, [field(1, 'evil.ops'), field(2, 1n)])), /opset_import is of the foreign domain/],
  [
    'an operator of a library in a branch',
    append(graph(node('If', '', branch(node('Evil', 'evil.ops'))))),
    /operator "Evil" is of the foreign domain "evil\.ops"/,
  ],
  [
    'an operator of a library in a function',
    append(field(25, [field(1, 'f'), field(7, [field(4, 'Evil'), field(7, 'evil.ops')])])),
    /operator "Evil" is of the foreign domain/,
  ],
  [
    'an operator of a library in a graph for training',
    append(field(20, [field(1, [node('Evil', 'evil.ops')])])),
    /operator "Evil" is of the foreign domain/,
  ],
  [
    'an operator that reads files',
    append(graph(node('EPContext', 'com.microsoft'))),
    /operator "EPContext" reads files/,
  ],
  [
    'ONNX Runtime’s own format, in which nothing is checked',
    async (d) => {
      await rename(join(d, 'top.onnx'), join(d, 'top.ort'));
      await changeManifest(d, ({ files }) => (files.top.path = 'top.ort'));
    },
    /files\.top\.path: must end in \.onnx/,
  ],

  // Broken on purpose.
  ['graphs nested without end', append(graph(nested(60))), /graphs are nested deeper than 50/],
  ['a field longer than its file', append(Buffer.from([0x3a, 0xff, 0xff, 0x7f])), /longer than its message/],
  [
    'a name that breaks lines',
    append(graph(node('a\nb', 'c\nd'))),
    /operator "a\\nb" is of the foreign domain "c\\nd"/,
  ],
  [
    'a model’s name that is markup',
    (d) => changeManifest(d, (m) => (m.name = '<img src=x>')),
    /manifest\.json: name: /,
  ],
];

describe('a bundle made to do harm', () => {
  const scratch = withScratch();

  for (const [index, [name, harm, message]] of table.entries()) {
    test(`${name}: refused in one line before a session opens`, async () => {
      const directory = await copyOfTiny(scratch(), `hostile-${index}`);
      await harm(directory);
      for (const [build, load] of BUILDS) {
        await assert.rejects(Engine.open(directory, { device: 'cpu', runtime: await load() }), (error: Error) => {
          assert.ok(error instanceof UserError, `${build}: ${error.stack}`);
          assert.match(error.message, message);
          assert.match(error.message, /; (install the model again|put the file itself there)$/);
          assert.ok(!error.message.includes('\n'));
          assert.doesNotMatch(error.message, /do not load/);
          return true;
        });
      }
    });
  }

  test('a device instead of a file does not block', async () => {
    const directory = await copyOfTiny(scratch(), 'pipe');
    await rm(join(directory, 'manifest.json'));
    await symlink('/dev/zero', join(directory, 'manifest.json'));
    await assert.rejects(Engine.open(directory, { device: 'cpu' }), /manifest\.json: file is missing/);
  });
});

describe('what a bundle may have', () => {
  const scratch = withScratch();

  for (const [name, directory] of BUNDLES) {
    test(`the graphs of ${name} pass`, async () => {
      const { files } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Manifest;
      const weights = { location: files.weights.path, bytes: files.weights.bytes };
      for (const file of [files.trunk, files.top, files.evidence!]) {
        checkGraph(await readFile(join(directory, file.path)), file.path, weights);
      }
    });
  }

  test('operators that ONNX Runtime brings along pass', async () => {
    const content = await readFile(join(TINY, 'top.onnx'));
    const bytes = Buffer.concat([content, graph(node('MatMulNBits', 'com.microsoft'), node('Relu', 'ai.onnx'))]);
    checkGraph(bytes, 'top.onnx', { location: 'weights.bin', bytes: 2 ** 30 });
  });

  test('a folder that is a link opens, and so do links within it', async () => {
    const directory = await copyOfTiny(scratch(), 'real');
    await cp(join(directory, 'top.onnx'), join(directory, 'kept.onnx'));
    await rm(join(directory, 'top.onnx'));
    await symlink('kept.onnx', join(directory, 'top.onnx'));
    const link = join(scratch(), 'link');
    await symlink(basename(directory), link);
    const engine = await Engine.open(link, { device: 'cpu' });
    await engine.close();
  });
});
