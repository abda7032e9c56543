/** Machines for which there is no native library: the status says so and what to do, the editor goes on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PLATFORMS, whyNotLoaded } from '../../src/model/platform';
import { LspClient, tiny } from './client';

/** What a process on such a machine would find, told to the inference process before its program runs. */
const machines: [name: string, pretence: string, reason: RegExp][] = [
  [
    'a Mac with an Intel processor',
    `Object.defineProperty(process, 'platform', { value: 'darwin' }); Object.defineProperty(process, 'arch', { value: 'x64' });`,
    /^ONNX Runtime has no library for Macs with Intel processors; Thoughtline runs on .*darwin-arm64/,
  ],
  [
    'Alpine Linux',
    `process.dlopen = () => { throw new Error('Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by libonnxruntime.so.1)'); };`,
    /^ONNX Runtime has no library for Alpine Linux .*; open the project on a host or in a container with glibc/,
  ],
  [
    'FreeBSD',
    `Object.defineProperty(process, 'platform', { value: 'freebsd' });`,
    /^ONNX Runtime has no library for freebsd-\w+; Thoughtline runs on linux-x64, /,
  ],
  [
    'the package of another platform',
    `Object.defineProperty(process, 'platform', { value: 'linux' });
     process.dlopen = () => { throw new Error('libonnxruntime.so.1: cannot open shared object file: No such file or directory'); };`,
    /does not load on linux-\w+ \(libonnxruntime\.so\.1: .*\); install the build of Thoughtline for this platform$/,
  ],
];

describe('a machine without a library', () => {
  for (const [name, pretence, reason] of machines) {
    test(name, async () => {
      const hook = `data:text/javascript,${encodeURIComponent(pretence)}`;
      const client = await LspClient.start({ bundle: tiny, environment: { NODE_OPTIONS: `--import=${hook}` } });
      const uri = 'file:///w/a.ts';
      await client.open(uri, 'const one = 1;\n');
      await client.until(() => client.status?.state === 'failed', 'the reason');
      assert.match(client.status!.reason!, reason);
      assert.ok(!client.status!.reason!.includes('\n'));
      assert.deepEqual(await client.complete(uri, { line: 1, character: 0 }, { invoked: true }), []);
      assert.match((await client.why(uri, { line: 1, character: 0 })).reason, /ONNX Runtime/);
      // It is no crash: nothing is tried again.
      assert.equal((await client.statistics()).respawns, 0);
      assert.equal(await client.stop(), 0);
    });
  }

  test('a library that is there and does not load is never blamed on the platform', () => {
    for (const platform of PLATFORMS)
      assert.match(whyNotLoaded(platform, 'out of memory'), /does not load .*out of memory/);
  });
});
