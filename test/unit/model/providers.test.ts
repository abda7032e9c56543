import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agreement } from '../../../src/model/probe';
import { candidates, countNodes, isWorthwhile, type CandidateReport } from '../../../src/model/providers';
import { countCores } from '../../../src/model/sessions';

describe('providers to try', () => {
  const table: [device: Parameters<typeof candidates>[0], platform: NodeJS.Platform, names: string[]][] = [
    ['auto', 'linux', ['cuda', 'webgpu']],
    ['auto', 'win32', ['dml', 'webgpu']],
    ['auto', 'darwin', ['coreml', 'webgpu']],
    ['auto', 'freebsd', []],
    ['cpu', 'linux', []],
    ['webgpu', 'linux', ['webgpu']],
    ['dml', 'linux', ['dml']],
  ];
  for (const [device, platform, names] of table) {
    test(`${device} on ${platform}`, () => assert.deepEqual(candidates(device, platform), names));
  }
});

describe('auto prefers a provider to the CPU', () => {
  const report: CandidateReport = {
    provider: 'webgpu',
    opened: true,
    matches: true,
    coverage: 0.95,
    milliseconds: 4,
    chosen: false,
    reason: '',
  };
  const table: [name: string, change: Partial<CandidateReport>, expected: boolean][] = [
    ['that is right, complete and faster', {}, true],
    ['not if its outputs differ', { matches: false }, false],
    ['not if it leaves a tenth of the nodes to the CPU', { coverage: 0.89 }, false],
    ['not if it is slower', { milliseconds: 6 }, false],
  ];
  for (const [name, change, expected] of table) {
    test(name, () => assert.equal(isWorthwhile({ ...report, ...change }, 5), expected));
  }
});

test('nodes of a profile are counted once, however often they ran', () => {
  const node = (name: string, provider: string) => ({ cat: 'Node', name, args: { provider } });
  const profile = JSON.stringify([
    { cat: 'Session', name: 'model_run' },
    node('MatMul_kernel_time', 'WebGpuExecutionProvider'),
    node('MatMul_kernel_time', 'WebGpuExecutionProvider'),
    node('Gather_kernel_time', 'CPUExecutionProvider'),
    node('Add_kernel_time', 'WebGpuExecutionProvider'),
  ]);
  assert.deepEqual(countNodes(profile, 'webgpu'), { own: 2, all: 3 });
  assert.deepEqual(countNodes(profile, 'cpu'), { own: 1, all: 3 });
});

describe('agreement of outputs', () => {
  const reference = { a: Float32Array.of(3, 4), b: Float32Array.of(1) };
  test('equal outputs differ by nothing', () => assert.equal(agreement(reference, reference), 0));
  test('the worst output counts, relative to its size', () => {
    assert.ok(Math.abs(agreement({ a: Float32Array.of(3, 4.5), b: Float32Array.of(1) }, reference) - 0.1) < 1e-6);
  });
  test('NaN, a wrong length or a missing output is no agreement', () => {
    assert.equal(agreement({ a: Float32Array.of(NaN, 4), b: Float32Array.of(1) }, reference), Infinity);
    assert.equal(agreement({ a: Float32Array.of(3), b: Float32Array.of(1) }, reference), Infinity);
    assert.equal(agreement({ a: Float32Array.of(3, 4) }, reference), Infinity);
  });
});

test('two threads of one core count as one core', () => {
  const processor = (id: number, core: number) => `processor\t: ${id}\nphysical id\t: 0\ncore id\t\t: ${core}\n`;
  assert.equal(countCores([processor(0, 0), processor(1, 0), processor(2, 1), processor(3, 1)].join('\n')), 2);
  assert.equal(countCores('processor : 0\n\nprocessor : 1\n'), 0);
});
