import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import {
  powerOfPmset,
  powerOfSupplies,
  powerOfWmi,
  PowerWatch,
  readPower,
  type Power,
  type Supply,
} from '../../src/server/power';

test('Linux: what the entries of /sys/class/power_supply mean', () => {
  const battery = (status: string): Supply => ({ type: 'Battery', status });
  const mains = (online: string): Supply => ({ type: 'Mains', online });
  const table: [name: string, supplies: Supply[], expected: Power][] = [
    ['a desktop computer', [], 'unknown'],
    ['a notebook on its battery', [mains('0'), battery('Discharging')], 'battery'],
    ['a notebook that is charged', [mains('1'), battery('Charging')], 'mains'],
    ['… and full', [mains('1'), battery('Full')], 'mains'],
    ['a notebook charged by USB', [{ type: 'USB', online: '1' }, battery('Discharging')], 'mains'],
    ['two batteries, one after the other', [battery('Unknown'), battery('Discharging')], 'battery'],
    ['a desktop computer with a wireless mouse', [{ ...battery('Discharging'), scope: 'Device' }], 'unknown'],
    ['nothing is known of the battery', [{ type: 'Battery' }], 'mains'],
  ];
  for (const [name, supplies, expected] of table) assert.equal(powerOfSupplies(supplies), expected, name);
});

test('macOS: what pmset says', () => {
  assert.equal(
    powerOfPmset("Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t80%; discharging"),
    'battery',
  );
  assert.equal(powerOfPmset("Now drawing from 'AC Power'\n"), 'mains');
  assert.equal(powerOfPmset(''), 'unknown');
});

test('Windows: what WMI says', () => {
  const table: [string, Power][] = [['1\r\n', 'battery'], ['2\r\n', 'mains'], ['5\r\n4\r\n', 'battery'], ['1\r\n2\r\n', 'mains'], ['', 'unknown']]; // prettier-ignore
  for (const [output, expected] of table) assert.equal(powerOfWmi(output), expected, JSON.stringify(output));
});

test('what cannot be read is unknown', async () => {
  assert.equal(await readPower('aix'), 'unknown');
  if (process.platform === 'linux') assert.equal(await readPower('darwin'), 'unknown', 'there is no pmset');
});

test('the power is read now and then, and only while somebody wants to know', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const told: Power[] = [];
    let power: Power = 'mains';
    let reads = 0;
    const watch = new PowerWatch(
      (now) => told.push(now),
      () => {
        reads++;
        return Promise.resolve(power);
      },
    );
    const pass = async (milliseconds: number) => {
      mock.timers.tick(milliseconds);
      await Promise.resolve();
      await Promise.resolve();
    };
    await pass(600_000);
    assert.equal(reads, 0);
    watch.watch(true);
    watch.watch(true);
    await pass(0);
    assert.deepEqual([reads, watch.power], [1, 'mains']);
    power = 'battery';
    await pass(60_000);
    await pass(60_000);
    assert.deepEqual([reads, watch.power, told], [3, 'battery', ['mains', 'battery']]);
    watch.watch(false);
    await pass(600_000);
    assert.deepEqual([reads, watch.power], [3, 'unknown']);
  } finally {
    mock.timers.reset();
  }
});
