import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onMains } from '../../src/server/power';

test('mains power is what a power supply says, and assumed where none says anything', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-power-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const supply = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), `${text}\n`);
  };
  assert.equal(await onMains(join(folder, 'missing')), true);
  assert.equal(await onMains(folder), true);
  supply('BAT0', { type: 'Battery', status: 'Discharging' });
  assert.equal(await onMains(folder), true, 'a battery alone does not say what charges it');
  supply('AC', { type: 'Mains', online: '0' });
  assert.equal(await onMains(folder), false);
  supply('ucsi-1', { type: 'USB', online: '1' });
  assert.equal(await onMains(folder), true, 'charged over USB');
  supply('AC', { type: 'Mains', online: '1' });
  assert.equal(await onMains(folder), true);
});
