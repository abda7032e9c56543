import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingValue } from '../../src/extension/settingValue';
import { defaultSettings, type Settings } from '../../src/settings';
import { chosenBundle, languageEnabled, readSettings } from '../../src/server/settings';

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

test('settings: the bundle that is chosen: a path, one of those that come along, or the one that the client gave', () => {
  const shipped = join('/', 'extension', 'models', 'nano');
  assert.equal(chosenBundle(defaultSettings, shipped), shipped);
  assert.equal(chosenBundle({ ...defaultSettings, model: 'base' }, shipped), join('/', 'extension', 'models', 'base'));
  const own = join('/', 'my', 'bundle');
  assert.equal(chosenBundle({ ...defaultSettings, model: 'base', modelPath: own }, shipped), own);
});

test('settings: each unacceptable value gives one line that names setting, value and remedy, and its default', () => {
  const table: [keyof Settings, unknown, RegExp][] = [
    ['enable', 'yes', /thoughtline\.enable: "yes" .*true or false/],
    ['inferenceSteps', 33, /thoughtline\.inferenceSteps: 33 .*0 to 32 \(4 serves\)/],
    ['inferenceSteps', 2.5, /thoughtline\.inferenceSteps: 2\.5 /],
    ['inferenceSteps', -1, /thoughtline\.inferenceSteps: -1 /],
    ['device', 'tpu', /thoughtline\.device: "tpu" .*auto, cpu, webgpu, cuda, dml, coreml \("auto" serves\)/],
    ['model', 'large', /thoughtline\.model: "large" .*nano, base.*\("nano" serves\)/],
    ['modelPath', 'models/nano', /thoughtline\.modelPath: "models\/nano" .*absolute path/],
    ['modelPath', 7, /thoughtline\.modelPath: 7 .*manifest\.json/],
    ['maxLines', 0, /thoughtline\.maxLines: 0 .*1 to 64/],
    ['languages', { markdown: 'on' }, /thoughtline\.languages: \{"markdown":"on"\} /],
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

test('settings: one that has got another name is read by its former ones, too', () => {
  const former = { maxLines: ['mostLines', 'lines'] };
  const table: [given: Record<string, unknown>, maxLines: number, problems: number][] = [
    [{}, defaultSettings.maxLines, 0],
    [{ lines: 3 }, 3, 0],
    [{ mostLines: 4, lines: 3 }, 4, 0],
    [{ maxLines: 5, mostLines: 4, lines: 3 }, 5, 0],
    [{ maxLines: null, lines: 3 }, 3, 0],
    [{ lines: 'many' }, defaultSettings.maxLines, 1],
  ];
  for (const [given, maxLines, count] of table) {
    const { settings, problems } = readSettings(given, former);
    assert.deepEqual([settings.maxLines, problems.length], [maxLines, count], JSON.stringify(given));
    for (const line of problems) assert.match(line, /^thoughtline\.lines: "many" .*1 to 64/);
  }
  assert.equal(readSettings({ lines: 3 }).settings.maxLines, defaultSettings.maxLines);
});

test('settings: in VS Code the present name counts where it is set, at whatever place, its default last', () => {
  type Places = Record<string, unknown>;
  const value = (places: Record<string, Places>) =>
    settingValue(
      {
        inspect: (name) => places[name],
        get: (name) => Object.values(places[name] ?? {}).findLast((found) => found !== undefined),
      },
      'maxLines',
      { maxLines: ['mostLines', 'lines'] },
    );
  const maxLines = { defaultValue: 8 };
  const table: [name: string, places: Record<string, Places>, expected: unknown][] = [
    ['nothing is set', { maxLines, lines: { defaultValue: 7 } }, 8],
    ['the oldest name', { maxLines, lines: { defaultValue: 7, globalValue: 3 } }, 3],
    ['two former names', { maxLines, mostLines: { globalValue: 4 }, lines: { workspaceValue: 3 } }, 4],
    ['the present name, as its default', { maxLines: { ...maxLines, globalValue: 8 }, lines: { globalValue: 3 } }, 8],
    ['for a folder', { maxLines, lines: { workspaceFolderValue: 2 } }, 2],
    ['for a language', { maxLines: { ...maxLines, globalLanguageValue: 6 }, lines: { globalValue: 3 } }, 6],
    [
      'a language’s default is a default',
      { maxLines: { ...maxLines, defaultLanguageValue: 9 }, lines: { globalValue: 3 } },
      3,
    ],
  ];
  for (const [name, places, expected] of table) assert.equal(value(places), expected, name);
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
