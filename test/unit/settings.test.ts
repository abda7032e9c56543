import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings, languageEnabled, type Settings } from '../../src/settings';
import { readSettings } from '../../src/server/settings';

test('settings: acceptable values are taken, missing ones get their default silently', () => {
  assert.deepEqual(readSettings(undefined), { settings: defaultSettings, problems: [] });
  const { settings, problems } = readSettings({ inferenceSteps: 0, device: 'cpu', languages: { markdown: true } });
  assert.deepEqual(problems, []);
  assert.deepEqual(settings, {
    ...defaultSettings,
    inferenceSteps: 0,
    device: 'cpu',
    languages: { ...defaultSettings.languages, markdown: true },
  });
});

test('settings: the model is one of those that are known, or a folder', () => {
  for (const model of ['auto', 'nano', 'coder', join('/', 'my', 'bundle')]) {
    assert.deepEqual(readSettings({ model }), { settings: { ...defaultSettings, model }, problems: [] });
  }
});

test('settings: each unacceptable value gives one line that names setting, value and remedy, and its default', () => {
  const table: [keyof Settings, unknown, RegExp][] = [
    ['enable', 'yes', /thoughtline\.enable: "yes" .*true or false/],
    ['inferenceSteps', 33, /thoughtline\.inferenceSteps: 33 .*0 to 32, or null \(using the default, null\)/],
    ['inferenceSteps', 2.5, /thoughtline\.inferenceSteps: 2\.5 /],
    ['inferenceSteps', -1, /thoughtline\.inferenceSteps: -1 /],
    [
      'device',
      'tpu',
      /thoughtline\.device: "tpu" .*auto, cpu, webgpu, cuda, dml, coreml \(using the default, "auto"\)/,
    ],
    ['model', 'base', /thoughtline\.model: "base" .*auto, nano, coder, or .*\(using the default, "auto"\)/],
    ['model', 'models/nano', /thoughtline\.model: "models\/nano" .*absolute path/],
    ['model', 7, /thoughtline\.model: 7 .*manifest\.json/],
    ['maxLines', 0, /thoughtline\.maxLines: 0 .*1 to 64/],
    ['languages', { markdown: 'on' }, /thoughtline\.languages: \{"markdown":"on"\} /],
    ['trigger', 'never', /thoughtline\.trigger: "never" .*automatic, code, manual \(using the default, "automatic"\)/],
    ['exclude', ['**/*.key'], /thoughtline\.exclude: \["\*\*\/\*\.key"\] .*globs/],
    ['besideCopilot', true, /thoughtline\.besideCopilot: true .*race, yield, manual/],
    ['memory', 'all', /thoughtline\.memory: "all" .*workspace, openFiles, off/],
    ['languages', ['typescript'], /thoughtline\.languages: \["typescript"\] /],
  ];
  for (const [name, value, line] of table) {
    const { settings, problems } = readSettings({ [name]: value });
    assert.equal(problems.length, 1, name);
    assert.match(problems[0]!, line);
    assert.doesNotMatch(problems[0]!, /\n/);
    assert.deepEqual(settings[name], defaultSettings[name]);
  }
  assert.equal(readSettings('fast').problems.length, 1);
});

test('settings: a file that still names one that was removed does no harm', () => {
  const removed = { samples: 4, rethinkingSteps: 8, adaptive: true, pauseOnBattery: 'thinking', debounceMin: 30 };
  const later = { debounceMax: 60, syntaxCheck: true, threads: 2 };
  assert.deepEqual(readSettings({ ...removed, ...later }), { settings: defaultSettings, problems: [] });
});

test('settings: what older versions called otherwise is carried over', () => {
  const table: [given: Record<string, unknown>, now: Partial<Settings>][] = [
    [{ commentsAndStrings: false }, { trigger: 'code' }],
    [{ commentsAndStrings: false, trigger: 'automatic' }, { trigger: 'code' }],
    [{ commentsAndStrings: false, trigger: 'manual' }, { trigger: 'manual' }],
    [{ commentsAndStrings: true }, {}],
    [{ memory: false }, { memory: 'off' }],
    [{ memory: false, workspaceMemory: false }, { memory: 'off' }],
    [{ memory: true }, {}],
    [{ workspaceMemory: false }, { memory: 'openFiles' }],
    [{ workspaceMemory: false, memory: 'workspace' }, { memory: 'openFiles' }],
    [{ workspaceMemory: true, memory: true }, {}],
  ];
  for (const [given, now] of table) {
    const expected = { settings: { ...defaultSettings, ...now }, problems: [] };
    assert.deepEqual(readSettings(given), expected, JSON.stringify(given));
  }
});

test('settings: a language is on by its own entry, else by that of *', () => {
  const { languages } = defaultSettings;
  const table: [Record<string, boolean>, string, boolean][] = [
    [languages, 'typescript', true],
    [languages, 'plaintext', false],
    [languages, 'markdown', false],
    [languages, 'scminput', false],
    [{ '*': false, go: true }, 'go', true],
    [{ '*': false, go: true }, 'rust', false],
    [{}, 'rust', true],
    [{}, 'constructor', true],
  ];
  for (const [map, id, expected] of table) assert.equal(languageEnabled(map, id), expected, id);
});
