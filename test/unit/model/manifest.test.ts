import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/model/errors';
import { parseManifest, storedWeights, type Manifest } from '../../../src/model/manifest';
import { hasNano, NANO, TINY } from '../../fixtures';

const good = readFileSync(join(TINY, 'manifest.json'), 'utf8');

function changed(change: (manifest: Manifest) => void): string {
  const manifest = JSON.parse(good) as Manifest;
  change(manifest);
  return JSON.stringify(manifest);
}

describe('manifest', () => {
  test('a good one is read', () => {
    assert.equal(parseManifest(good, 'manifest.json').format, 3);
  });

  test(
    'fitted weights are stored by the names of the bundle format, and have others in the code',
    { skip: !hasNano },
    () => {
      const text = readFileSync(join(NANO, 'manifest.json'), 'utf8');
      const { memory, states, energy } = JSON.parse(text) as Record<string, unknown>;
      const read = parseManifest(text, 'manifest.json');
      assert.ok(read.memory && read.knn && read.confidence);
      const { knn, confidence } = read;
      assert.deepEqual(storedWeights({ memory: read.memory, knn, confidence }), { memory, states, energy });
      for (const old of ['recollection', 'states', 'occurring']) assert.ok(!(old in read.memory), old);
    },
  );

  const cases: [name: string, text: string, message: RegExp][] = [
    ['not JSON', '{', /^m\.json: not valid JSON; install the model again$/],
    ['empty', '', /^m\.json: not valid JSON/],
    ['not an object', '7', /^m\.json: manifest: /],
    [
      'a newer format',
      changed((m) => Object.assign(m, { format: 9 })),
      /format 9 is newer .*update Thoughtline to 0\.3\.0 or later/,
    ],
    [
      'a newer format that says what it needs',
      changed((m) => Object.assign(m, { format: 9, needs: '2.1.0', architecture: 'another' })),
      /format 9 is newer than this version of Thoughtline reads \(3\); update Thoughtline to 2\.1\.0 or later$/,
    ],
    [
      'a newer format that says nonsense',
      changed((m) => Object.assign(m, { format: 9, needs: 'https://elsewhere\nnow' })),
      /update Thoughtline to one that reads format 9$/,
    ],
    [
      'an older format',
      changed((m) => Object.assign(m, { format: 1, needs: '0.1.0' })),
      /format 1 is older than this version of Thoughtline reads \(3\); install the model that comes with it, or adopt the GGUF file again$/,
    ],
    ['more positions than graphs know', changed((m) => (m.window.tokens = 9000)), /window\.tokens/],
    ['a version that is none', changed((m) => Object.assign(m, { needs: 'soon' })), /needs: must be a version/],
    ['no name', changed((m) => Object.assign(m, { name: undefined })), /^m\.json: name: .*; install the model again$/],
    ['a width of zero', changed((m) => (m.architecture.width = 0)), /architecture\.width/],
    ['no top layer', changed((m) => (m.architecture.trunkLayers = m.architecture.layers)), /architecture\.trunkLayers/],
    [
      'a thought of too many numbers',
      changed((m) => Object.assign(m.architecture, { width: 2 ** 16 })),
      /thought\.features: make \d+ numbers of a thought; 120000 are allowed/,
    ],
    ['a thought without features', changed((m) => Object.assign(m.thought!, { features: 0 })), /thought\.features/],
    [
      'states without a gate',
      changed((m) => Object.assign(m, { states: { sharpness: 22, fitted: {} } })),
      /states\.gate: .*; install the model again$/,
    ],
    ['too few steps', changed((m) => m.thought!.stepSize.pop()), /thought\.stepSize: must have 4 rows/],
    ['a row too short', changed((m) => m.thought!.priorPull[3]?.pop()), /thought\.priorPull: must have 2 numbers/],
    ['too few deviations', changed((m) => m.thought!.priorDeviation.pop()), /thought\.priorDeviation: must have 2/],
    ['a deviation of zero', changed((m) => (m.thought!.posteriorDeviation[0] = 0)), /thought\.posteriorDeviation\.0/],
    [
      'a path above the folder',
      changed((m) => (m.files.top.path = '../top.onnx')),
      /files\.top\.path: .*inside the bundle/,
    ],
    ['a path above in Windows', changed((m) => (m.files.top.path = '..\\top.onnx')), /files\.top\.path/],
    ['an absolute path', changed((m) => (m.files.card.path = '/etc/passwd')), /files\.card\.path/],
    ['a drive', changed((m) => (m.files.card.path = 'C:\\prior.bin')), /files\.card\.path/],
    ['a hash too short', changed((m) => (m.files.trunk.sha256 = 'abc')), /files\.trunk\.sha256/],
  ];
  for (const [name, text, message] of cases) {
    test(`${name} ends in one clear line`, () => {
      assert.throws(
        () => parseManifest(text, 'm.json'),
        (error: Error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, message);
          assert.ok(!error.message.includes('\n'));
          return true;
        },
      );
    });
  }
});
