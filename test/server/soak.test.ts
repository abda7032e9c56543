import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onLinux } from '../reliability/processes';
import { soak, soakTogether, type SoakReport } from '../reliability/soak';

const skip = !onLinux && 'memory and descriptors are read from /proc';

// The long run is `npm run reliability -- soak`: how memory grows shows over thousands of edits only. Here it must not run away.
function check(report: SoakReport): void {
  assert.equal(report.respawns, 0);
  assert.ok(report.answers > 0 && report.thoughts > 0 && report.comparisons > 0);
  for (const { endMb, warmDescriptors, endDescriptors } of [report.server, report.inference]) {
    assert.ok(endMb < 400, `${endMb} MB`);
    assert.ok(endDescriptors <= warmDescriptors + 1, `${endDescriptors} descriptors, ${warmDescriptors} before`);
  }
}

test(
  '300 edits in 50 open files: every document stays the editor’s, no descriptor leaks',
  { skip },
  async (context) => {
    const report = await soak({ edits: 300, files: 50, seed: 20261122 });
    context.diagnostic(JSON.stringify(report));
    check(report);
  },
);

test('four clients at once, a server each', { skip }, async () => {
  for (const report of await soakTogether(4, { edits: 100, files: 5, seed: 7 })) check(report);
});
