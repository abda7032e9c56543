import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InferenceClient } from '../../src/inference/client';
import { ModelSwitch } from '../../src/server/modelSwitch';

/** A client that serves a bundle and remembers what it was told to open. */
function serving(bundle: string) {
  const opened: string[] = [];
  const client = {
    bundle,
    lifecycle: { state: 'ready', device: 'cpu' },
    model: undefined,
    open: (config: { bundle: string }) => void opened.push(config.bundle),
    succeed: (config: { bundle: string }) => void opened.push(config.bundle),
  };
  const listener = { ask: () => Promise.resolve(false), chosen: () => undefined, log: () => undefined };
  const models = new ModelSwitch(client as unknown as InferenceClient, listener);
  models.begin({ shipped: '/nano', coder: undefined, models: undefined, threads: 0, version: '1' });
  return { models, opened };
}

test('a bundle that fails after another was chosen does not end suggestions: the chosen one is opened', () => {
  const table: [name: string, serves: string, model: string, taken: boolean, opens: string | undefined][] = [
    ['removed, and nano is wanted', '/own', 'nano', true, '/nano'],
    ['the chosen one itself', '/own', '/own', true, '/nano'],
    ['nano, while another loads', '/nano', '/own', true, '/own'],
    ['nano itself', '/nano', 'nano', false, undefined],
  ];
  for (const [name, serves, model, taken, opens] of table) {
    const { models, opened } = serving(serves);
    models.apply({ model, device: 'cpu', endpoint: '' });
    opened.length = 0;
    assert.equal(models.failed('it is gone'), taken, name);
    assert.equal(opened.at(-1), opens, name);
  }
});
