import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { chooseModel, measureSpeed, Speeds, type Installed } from '../../src/server/models';
import { withScratch } from '../model/bundles';

const [shipped, coder, own] = ['/ext/models/nano', '/got/coder', '/my/bundle'];
const nothing: Installed = { shipped, coder: undefined, coderMs: undefined, refused: new Map() };
const refusing = (bundle: string) => ({ refused: new Map([[bundle, `${bundle}: damaged`]]) });

describe('which model serves', () => {
  const cases: [model: string, installed: Partial<Installed>, bundle: string, because: RegExp, problem?: RegExp][] = [
    ['auto', {}, shipped, /has not been got yet$/],
    ['auto', { coder }, coder, /tried how fast/],
    ['auto', { coder, coderMs: 600 }, coder, /takes 600 ms here, at most 600/],
    ['auto', { coder, coderMs: 601 }, shipped, /takes 601 ms here, more than 600; set thoughtline\.model to coder/],
    ['auto', { coder, coderMs: 100, ...refusing(coder) }, shipped, /coder cannot be used/, /coder: damaged/],
    ['auto', { coder, coderMs: 100, endpoint: true }, shipped, /an endpoint writes/],
    ['coder', { coder, endpoint: true }, coder, /thoughtline\.model is coder/],
    ['nano', { coder, coderMs: 1 }, shipped, /thoughtline\.model is nano/],
    ['coder', {}, shipped, /has not been got yet/, /run "Thoughtline: Get the Code Model"/],
    ['coder', { coder, coderMs: 5000 }, coder, /thoughtline\.model is coder/],
    ['coder', { coder, ...refusing(coder) }, shipped, /coder cannot be used/, /coder: damaged/],
    [own, { coder }, own, /thoughtline\.model is \/my\/bundle/],
    [own, refusing(own), shipped, /bundle cannot be used/, /bundle: damaged/],
    // There is nothing that could take its place.
    ['nano', refusing(shipped), shipped, /thoughtline\.model is nano/],
  ];
  for (const [model, installed, bundle, because, problem] of cases) {
    test(`${model} with ${JSON.stringify({ ...installed, refused: [...(installed.refused ?? [])] })}`, () => {
      const choice = chooseModel(model, { ...nothing, ...installed });
      assert.equal(choice.bundle, bundle);
      assert.match(choice.because, because);
      if (problem) assert.match(choice.problem ?? '', problem);
      else assert.equal(choice.problem, undefined);
    });
  }

  test('only what auto takes without knowing how fast it is is on trial', () => {
    assert.ok(chooseModel('auto', { ...nothing, coder }).onTrial);
    assert.ok(!chooseModel('auto', { ...nothing, coder, coderMs: 5 }).onTrial);
    assert.ok(!chooseModel('coder', { ...nothing, coder }).onTrial);
  });
});

describe('how fast a model is', () => {
  const scratch = withScratch();
  const here = { bundle: '/got/coder-1', device: 'auto', threads: 0, version: '1.0.0' } as const;

  test('is the median of what typing takes, without the first that reads the window', async () => {
    const takes = [9_000, 300, 900, 310];
    let at = 0;
    const prefixes: string[] = [];
    const milliseconds = await measureSpeed(
      ({ prefix }) => {
        prefixes.push(prefix);
        at += takes.shift()!;
        return Promise.resolve(true);
      },
      () => at,
    );
    assert.equal(milliseconds, 310);
    for (const [i, prefix] of prefixes.slice(1).entries()) assert.ok(prefix.startsWith(prefixes[i]!), prefix);
  });

  test('is not known where no suggestion is made', async () => {
    assert.equal(await measureSpeed(() => Promise.resolve(false)), undefined);
  });

  test('is remembered for a bundle, a version, a device and a number of threads', async () => {
    const folder = mkdtempSync(join(scratch(), 's-'));
    await new Speeds(folder).set(here, 420);
    assert.deepEqual(readdirSync(folder), ['speeds.json']);
    const again = new Speeds(folder);
    assert.equal(again.get(here), 420);
    for (const other of [
      { bundle: '/got/coder-2' },
      { version: '2.0.0' },
      { device: 'cpu' },
      { threads: 2 },
    ] as const) {
      assert.equal(again.get({ ...here, ...other }), undefined, JSON.stringify(other));
    }
  });

  test('what is damaged is found again; without a folder nothing is written', async () => {
    const folder = mkdtempSync(join(scratch(), 's-'));
    for (const text of ['no JSON', 'null', '{"x": "fast"}']) {
      writeFileSync(join(folder, 'speeds.json'), text);
      assert.equal(new Speeds(folder).get(here), undefined);
    }
    await new Speeds(folder).set(here, 1);
    assert.equal(Object.keys(JSON.parse(readFileSync(join(folder, 'speeds.json'), 'utf8')) as object).length, 1);
    const forgetful = new Speeds(undefined);
    await forgetful.set(here, 7);
    assert.equal(forgetful.get(here), 7);
  });
});
