import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '../../../scripts/extract-l10n';
import { configuration, page, restricted } from '../../../scripts/settings';
import { readSettings } from '../../../src/server/settings';
import { defaultSettings, settingNames } from '../../../src/settings';

const root = join(__dirname, '..', '..', '..');
const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as unknown;

interface Property {
  type: string;
  additionalProperties?: { type: string };
  default: unknown;
  enum?: string[];
  markdownEnumDescriptions?: string[];
  markdownDescription: string;
  markdownDeprecationMessage?: string;
  order: number;
  scope?: string;
}
const manifest = read('package.json') as {
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string }[];
    keybindings: { command: string; key: string; when: string }[];
    walkthroughs: { steps: { media: { image?: Record<string, string>; markdown?: string } }[] }[];
    configuration: { title: string; order: number; properties: Record<string, Property> }[];
  };
};
const words = read('package.nls.json') as Record<string, string>;
const categories = manifest.contributes.configuration;
const properties = Object.assign({}, ...categories.map((category) => category.properties)) as Record<string, Property>;

test('package.json and docs/settings.md say of settings what src/settings.ts says', async () => {
  // Made again by: node --import=tsx scripts/settings.ts
  assert.deepEqual(categories, configuration());
  assert.deepEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, restricted());
  assert.equal(readFileSync(join(root, 'docs/settings.md'), 'utf8').replaceAll('\r\n', '\n'), await page(words));
});

test('every setting is read by the server, and there are fifteen at most', () => {
  assert.ok(settingNames.length <= 15, `${settingNames.length} settings`);
  for (const name of settingNames) {
    const { settings, problems } = readSettings({ [name]: Symbol.for('nothing that is accepted') });
    assert.deepEqual([settings[name], problems.length], [defaultSettings[name], 1], name);
  }
});

test('every text of package.json stands in package.nls.json, and none stands there in vain', () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1]!);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(words).sort());
});

test('every command of ours that a key runs is registered; Escape is taken only where a suggestion and nothing else would go', () => {
  const source = readFileSync(join(root, 'src/extension/commands.ts'), 'utf8');
  const ours = manifest.contributes.keybindings.filter(({ command }) => command.startsWith('thoughtline.'));
  assert.ok(ours.length > 0);
  for (const { command } of ours)
    assert.ok(source.includes(`register('${command.slice('thoughtline.'.length)}'`), command);
  const taken = manifest.contributes.keybindings.filter(({ key }) => key === 'escape' || key === 'tab');
  for (const { when, key } of taken) {
    if (key === 'escape') assert.ok(when.includes('!findWidgetVisible'));
    assert.match(when, /^(inlineSuggestionVisible|thoughtline\.nextEdit(Visible|TakesTab)) && editorTextFocus && /);
    // An edit that is offered leaves ghost text its keys.
    if (when.startsWith('thoughtline.nextEdit')) assert.ok(when.includes('!inlineSuggestionVisible'));
    for (const other of ['suggestWidgetVisible', 'inSnippetMode', 'vim.active', 'neovim.init']) {
      assert.ok(when.includes(`!${other}`), other);
    }
  }
});

test('every command is registered by the extension', () => {
  const source = readFileSync(join(root, 'src/extension/commands.ts'), 'utf8');
  for (const { command } of manifest.contributes.commands) {
    assert.match(source, new RegExp(`register\\('${command.replace('thoughtline.', '')}'`));
  }
});

test('a workspace that is not trusted can neither name a model nor choose what code runs it', () => {
  assert.deepEqual([...restricted()].sort(), [
    'thoughtline.device',
    'thoughtline.endpoint',
    'thoughtline.model',
    'thoughtline.modelPath',
  ]);
});

test('every setting that a workspace may set, trusted or not, is a number, a switch, a word of a list, or a list of switches', () => {
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  const free = Object.entries(properties).filter(([name]) => !restrictedConfigurations.includes(name));
  for (const [name, { type, additionalProperties, enum: words }] of free) {
    const kind = type === 'object' ? additionalProperties?.type : String(type);
    assert.ok(
      ['boolean', 'integer', 'integer,null'].includes(kind ?? '') || Array.isArray(words),
      `${name} is ${kind}`,
    );
  }
  // Not even a trusted workspace names a model: settings of scope "machine" are the user's alone.
  assert.equal(properties['thoughtline.model']?.scope, 'machine');
});

test('every text that the extension shows is in the bundle for translators', () => {
  // Made again by: node --import=tsx scripts/extract-l10n.ts
  assert.equal(readFileSync(join(root, 'l10n/bundle.l10n.json'), 'utf8'), bundle());
});

test('settings are in an order, and those of documents can be set for a folder or a language', () => {
  const orders = Object.values(properties)
    .map(({ order }) => order)
    .sort((a, b) => a - b);
  assert.deepEqual(
    orders,
    orders.map((_, i) => i + 1),
  );
  const scopes: Record<string, string | undefined> = Object.fromEntries(
    Object.entries(properties).map(([name, { scope }]) => [name.replace('thoughtline.', ''), scope]),
  );
  assert.equal(scopes['trigger'], 'language-overridable');
  assert.equal(scopes['exclude'], 'resource');
  assert.equal(scopes['maxLines'], 'language-overridable');
  assert.equal(scopes['languages'], 'resource');
  assert.equal(scopes['model'], 'machine');
  assert.equal(scopes['modelPath'], 'machine');
  for (const [name, scope] of Object.entries(scopes)) assert.ok(scope, `${name} has a scope`);
});

test('the walkthrough’s pictures are there', () => {
  for (const { steps } of manifest.contributes.walkthroughs) {
    for (const { media } of steps) {
      const files = [...Object.values(media.image ?? {}), ...(media.markdown === undefined ? [] : [media.markdown])];
      assert.ok(files.length > 0);
      for (const file of files) assert.ok(existsSync(join(root, file)), file);
    }
  }
});
