import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largeCases, measureLarge } from '../reliability/large';
import { bundle, tiny } from './client';

// The figures of the shipped model are printed by `npm run reliability -- large`. These bounds hold on a busy machine, too.
for (const one of largeCases()) {
  test(`${one.name}: time and memory are bounded`, async (context) => {
    // Random weights have none for the lookup memory, without which no workspace is read.
    const report = await measureLarge(one, one.files === undefined ? tiny : bundle, 6);
    context.diagnostic(JSON.stringify(report));
    assert.ok(report.serverMs.median < 300, `${report.serverMs.median} ms until the server answers`);
    assert.ok(report.keystrokeMs.median < 2_000, `${report.keystrokeMs.median} ms until there is a suggestion or none`);
    assert.ok(report.firstMs < 40_000, `${report.firstMs} ms for the first`);
    assert.ok(report.peakMb.server < 400 && report.peakMb.inference < 600, JSON.stringify(report.peakMb));
    if (one.name.startsWith('in a minified')) assert.match(report.decision, /more than 20000$/);
    else assert.doesNotMatch(report.decision, /failed|right of the cursor|more than/);
  });
}
