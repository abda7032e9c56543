// A reporter for node's test runner: how many tests passed, failed and were skipped, and which were skipped, as JSON.
export default async function* counts(events) {
  const total = { passed: 0, failed: 0, skipped: [] };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A suite counts where all of it was skipped: its tests are not told of then.
    if (data.details?.type === 'suite' && data.skip === undefined) continue;
    if (type === 'test:fail') total.failed += 1;
    else if (data.skip !== undefined) total.skipped.push(data.name);
    else total.passed += 1;
  }
  yield JSON.stringify(total);
}
