import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapOfService } from '../reliability/service';

test('the heap of what the inference process does stays what it is once its caches are filled', async (context) => {
  const report = await heapOfService(2000, 20261122);
  context.diagnostic(JSON.stringify(report));
  // One text that is kept a request would be 10 MB and more in a thousand.
  assert.ok(report.mbPerThousandRequests < 3, JSON.stringify(report));
});
