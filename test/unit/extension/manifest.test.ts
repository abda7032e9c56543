import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings, devices } from '../../../src/protocol';

const root = join(__dirname, '..', '..', '..');
const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as unknown;

interface Property {
  default: unknown;
  enum?: string[];
  markdownEnumDescriptions?: string[];
  markdownDescription: string;
}
const manifest = read('package.json') as {
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string }[];
    configuration: { properties: Record<string, Property> };
  };
};
const words = read('package.nls.json') as Record<string, string>;
const { properties } = manifest.contributes.configuration;

test('the settings that package.json offers are those that the server knows, with the same defaults', () => {
  const offered = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name.replace(/^thoughtline\./, ''), property.default]),
  );
  assert.deepEqual(offered, defaultSettings);
  assert.deepEqual(properties['thoughtline.device']?.enum, [...devices]);
});

test('every text of package.json stands in package.nls.json, and none stands there in vain', () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1]!);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(words).sort());
});

test('every command is registered by the extension', () => {
  const source = readFileSync(join(root, 'src/extension/commands.ts'), 'utf8');
  for (const { command } of manifest.contributes.commands) {
    assert.match(source, new RegExp(`register\\('${command.replace('thoughtline.', '')}'`));
  }
});

test('a workspace that is not trusted cannot name a model', () => {
  assert.deepEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, ['thoughtline.modelPath']);
});
