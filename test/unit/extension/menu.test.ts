import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from '../../../src/settings';
import { menuEntries, stepChoices, type MenuState } from '../../../src/extension/menu';

const state: MenuState = {
  enable: true,
  language: { id: 'python', on: true },
  snooze: { state: 'awake' },
  device: { wanted: 'auto', used: 'cpu' },
  model: { wanted: 'auto', used: 'nano 0.7.1', got: false, size: '491 MB' },
  inferenceSteps: null,
  defaultSteps: 1,
  now: 0,
};
const commands = (change: Partial<MenuState> = {}) =>
  menuEntries({ ...state, ...change }).flatMap(({ command }) => command ?? []);
const entry = (command: string, change: Partial<MenuState> = {}) =>
  menuEntries({ ...state, ...change }).find((one) => one.command === command);

test('the menu offers what makes sense in a state', () => {
  const all = [
    'toggle',
    'toggleLanguage',
    'snooze',
    'selectModel',
    'getCoder',
    'selectSteps',
    'selectDevice',
    'showThought',
  ];
  const help = ['why', 'showStatistics', 'showLog', 'restart', 'openSettings'];
  assert.deepEqual(commands(), [...all, ...help]);
  const table: [name: string, change: Partial<MenuState>, missing: string[], added: string[]][] = [
    ['code model got', { model: { ...state.model, got: true } }, ['getCoder'], []],
    ['no editor', { language: undefined }, ['toggleLanguage'], []],
    ['switched off', { enable: false }, ['snooze'], []],
    ['snoozed', { snooze: { state: 'snoozed', until: 60_000 } }, ['snooze'], ['endSnooze']],
    ['snoozed and switched off', { enable: false, snooze: { state: 'snoozed' } }, ['snooze'], ['endSnooze']],
  ];
  for (const [name, change, missing, added] of table) {
    const offered = new Set(commands(change));
    for (const command of [...all, ...help])
      assert.equal(offered.has(command), !missing.includes(command), `${name}: ${command}`);
    for (const command of added) assert.ok(offered.has(command), `${name}: ${command}`);
  }
});

test('entries say what they would do and how things stand', () => {
  assert.match(entry('toggle')!.label, /off$/);
  assert.match(entry('toggle', { enable: false })!.label, /on$/);
  assert.match(entry('toggleLanguage')!.label, /off for python files/);
  assert.match(entry('toggleLanguage', { language: { id: 'markdown', on: false } })!.label, /on for markdown files/);
  assert.equal(entry('selectDevice')!.description, 'auto, running on cpu');
  assert.equal(entry('selectDevice', { device: { wanted: 'cpu', used: undefined } })!.description, 'cpu');
  assert.equal(entry('selectModel')!.description, 'auto, running nano 0.7.1');
  assert.match(entry('getCoder')!.label, /Get the code model \(491 MB\)$/);
  assert.equal(entry('selectSteps')!.description, 'automatic: 1');
  assert.equal(entry('selectSteps', { defaultSteps: undefined })!.description, 'automatic');
  assert.equal(entry('selectSteps', { inferenceSteps: 0 })!.description, 'no thinking');
  assert.equal(entry('selectSteps', { inferenceSteps: 4 })!.description, '4');
  assert.match(entry('endSnooze', { snooze: { state: 'snoozed', until: 120_000 } })!.description!, /2 more minutes/);
});

test('every entry runs a command of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8')) as {
    contributes: { commands: { command: string }[] };
  };
  const known = new Set(manifest.contributes.commands.map(({ command }) => command.replace('thoughtline.', '')));
  for (const snooze of [state.snooze, { state: 'snoozed' } as const]) {
    for (const command of commands({ snooze })) assert.ok(command === 'openSettings' || known.has(command), command);
  }
});

test('the steps that are offered are acceptable', () => {
  for (const { steps } of stepChoices()) assert.ok(SETTINGS.inferenceSteps.accepts(steps), String(steps));
});
