/** What VS Code waits for when it starts the extension: the built `dist/extension.js`, loaded and called, with a stand-in for VS Code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processorTime } from '../../../lab/processorTime';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Has every member, can be called and constructed, and says nothing. @param known members that say something */
function anything(known: Record<string, unknown> = {}): object {
  const members = new Map<PropertyKey, unknown>(Object.entries(known));
  return new Proxy(function () {}, {
    get: (_, key) => {
      if (key === 'then') return undefined;
      if (key === Symbol.toPrimitive) return () => '';
      if (!members.has(key)) members.set(key, anything());
      return members.get(key);
    },
    set: (_, key, value) => Boolean(members.set(key, value)),
    apply: () => anything(),
    construct: () => anything(),
  });
}

test('activation takes the host’s thread 100 ms at most, and loads nothing but VS Code’s interface', () => {
  // Switched off: what happens after activation is not of interest here.
  const values: Record<string, unknown> = { enable: false, languages: {} };
  const configuration = { get: (name: string) => values[name], inspect: () => undefined };
  const vscode = anything({ workspace: anything({ getConfiguration: () => configuration }) });
  const context = {
    subscriptions: [] as object[],
    globalState: { get: (_: string, unset: unknown) => unset, update: () => Promise.resolve() },
    extension: { packageJSON: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as object },
    extensionUri: anything(),
    globalStorageUri: { fsPath: join(root, 'nowhere') },
    asAbsolutePath: (path: string) => join(root, path),
  };
  const loaded: string[] = [];
  const loader = Module as unknown as { _load: (this: unknown, name: string, ...rest: unknown[]) => unknown };
  const load = loader._load;
  loader._load = function (name, ...rest) {
    loaded.push(name);
    return name === 'vscode' ? vscode : load.call(this, name, ...rest);
  };
  try {
    // The processor's time, which a busy machine does not lengthen.
    const spent = processorTime();
    const extension = createRequire(import.meta.url)(join(root, 'dist/extension.js')) as {
      activate(context: object): void;
    };
    extension.activate(context);
    const milliseconds = spent();
    assert.ok(milliseconds <= 100, `${milliseconds.toFixed(0)} ms`);
    assert.ok(context.subscriptions.length > 10, 'it has registered what it serves');
    assert.deepEqual(
      new Set(loaded.slice(1).map((name) => name.replace(/^node:.*/, 'node'))),
      new Set(['vscode', 'node']),
    );
  } finally {
    loader._load = load;
  }
});
