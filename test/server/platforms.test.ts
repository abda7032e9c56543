/** Machines for which there is no native library: WebAssembly computes; where that is missing, too, the status says what to do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NATIVE_PLATFORMS, ownPlatform, remedyFor, WASM_PLATFORMS, whyNotLoaded } from '../../src/model/platform';
import { LspClient, tiny } from './client';
import { pretending, type machines } from './machines';

const table: [name: string, machine: keyof typeof machines, reason: RegExp, remedy: RegExp][] = [
  [
    'a Mac with an Intel processor',
    'darwin',
    /ONNX Runtime has no library for Macs with Intel processors/,
    /; install the build of Thoughtline for this platform$/,
  ],
  [
    'Alpine Linux',
    'alpine',
    /ONNX Runtime has no library for Alpine Linux and other systems on musl/,
    /; install the build of Thoughtline for this platform$/,
  ],
  [
    'FreeBSD',
    'freebsd',
    /ONNX Runtime has no library for freebsd-\w+/,
    /; Thoughtline runs on linux-x64, .*, also as a remote host$/,
  ],
  [
    'the package of another platform',
    'otherPackage',
    /ONNX Runtime's library does not load on linux-\w+ \(libonnxruntime\.so\.1: .*\)/,
    /; install the build of Thoughtline for this platform$/,
  ],
];

describe('a machine without a library', () => {
  for (const [name, machine, reason, remedy] of table) {
    test(`${name}: suggestions come from WebAssembly, and the log says why`, async () => {
      const client = await LspClient.start({ bundle: tiny, environment: pretending([machine]) });
      await client.ready();
      const uri = 'file:///w/a.ts';
      await client.open(uri, 'let x = foo(');
      const items = await client.complete(uri, { line: 0, character: 12 }, { invoked: true });
      assert.ok(items.length > 0);
      assert.equal(client.status!.device, 'wasm');
      const line = client.logs.find((one) => one.startsWith('computing in WebAssembly, which is slower: '));
      assert.match(line ?? '', reason);
      assert.ok(client.logs.includes('model ready on wasm'));
      assert.equal((await client.statistics()).respawns, 0);
      assert.equal(await client.stop(), 0);
    });

    test(`${name}, and no WebAssembly: the status says why and what to do, the editor goes on`, async () => {
      const client = await LspClient.start({ bundle: tiny, environment: pretending([machine, 'noWasm']) });
      const uri = 'file:///w/a.ts';
      await client.open(uri, 'const one = 1;\n');
      await client.until(() => client.status?.state === 'failed', 'the reason');
      assert.match(client.status!.reason!, reason);
      assert.match(client.status!.reason!, remedy);
      assert.ok(!client.status!.reason!.includes('\n'));
      assert.deepEqual(await client.complete(uri, { line: 1, character: 0 }, { invoked: true }), []);
      assert.match((await client.why(uri, { line: 1, character: 0 })).reason, /ONNX Runtime/);
      // It is no crash: nothing is tried again.
      assert.equal((await client.statistics()).respawns, 0);
      assert.equal(await client.stop(), 0);
    });
  }

  const native = (NATIVE_PLATFORMS as readonly string[]).includes(ownPlatform());
  test('where there is a library it computes, and nothing of WebAssembly is loaded', { skip: !native }, async () => {
    const settings = { device: 'cpu' };
    const client = await LspClient.start({ bundle: tiny, settings, environment: pretending(['noWasm']) });
    await client.ready();
    assert.equal(client.status!.device, 'cpu');
    assert.equal(await client.stop(), 0);
  });

  test('a library that is there and does not load is never blamed on the platform', () => {
    for (const platform of NATIVE_PLATFORMS)
      assert.match(whyNotLoaded(platform, 'out of memory'), /does not load .*out of memory/);
    for (const platform of WASM_PLATFORMS) assert.match(remedyFor(platform), /install the build/);
  });
});
