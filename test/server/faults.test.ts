import assert from 'node:assert/strict';
import { test } from 'node:test';
import { injectFaults, plan } from '../reliability/faults';
import { onLinux } from '../reliability/processes';

test(
  'the inference process falls ill in ten ways: every request is answered, no byte is lost, the server answers at once',
  { skip: !onLinux && 'signals, memory limits and /proc as on Linux' },
  async (context) => {
    const report = await injectFaults(plan(24), 7);
    context.diagnostic(JSON.stringify(report));
    assert.equal(Object.keys(report.byKind).length, 10);
    assert.equal(report.unanswered, 0);
    // A flood of the log alone is no reason to start again.
    assert.equal(report.respawns, 24 - (report.byKind['log flood'] ?? 0));
    assert.ok(report.serverMs.median < 20 && report.serverMs.longest < 1_000, JSON.stringify(report.serverMs));
    assert.ok(report.logLines < 24 * 250, `${report.logLines} lines in the log`);
  },
);
