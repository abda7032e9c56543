import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LspClient, tiny } from '../server/client';
import type { Property } from './properties';
import { EditedDocument } from './typist';

const uri = fc.constantFrom('file:///fuzz/a.ts', 'file:///fuzz/b.ts', 'untitled:c', '', 'x y', 'file:///%zz');
const any = fc.jsonValue({ maxDepth: 3 });
const position = fc.oneof(
  fc.record({ line: fc.integer({ min: -2, max: 9 }), character: fc.integer({ min: -2, max: 30 }) }),
  fc.record({ line: any, character: any }),
  any,
);
const range = fc.oneof(fc.record({ start: position, end: position }), any);
const document = fc.oneof(
  fc.record({
    uri,
    languageId: fc.constantFrom('typescript', 'constructor', ''),
    version: fc.integer(),
    text: fc.string(),
  }),
  fc.record({ uri }),
  any,
);
const change = fc.oneof(fc.record({ range, text: fc.string() }), fc.record({ text: fc.string() }), any);
const context = fc.oneof(
  fc.record({ triggerKind: fc.constantFrom(0, 1) }),
  fc.record({ triggerKind: any, selectedCompletionInfo: fc.oneof(fc.record({ range, text: fc.string() }), any) }),
  any,
);

const folder = fc.oneof(fc.record({ uri: fc.oneof(uri, fc.constant('file:///tmp/sale-50%'), any), name: any }), any);
const folders = fc.oneof(fc.array(folder, { maxLength: 2 }), any);
const settings = fc.oneof(
  fc.record({ thoughtline: fc.oneof(fc.record({ inferenceSteps: any, maxLines: any, languages: any }), any) }),
  any,
);

/** Requests that the server knows, with what may or may not be their parameters. */
const requests: Record<string, fc.Arbitrary<unknown>> = {
  'textDocument/inlineCompletion': fc.oneof(
    fc.record({ textDocument: document, position, context }),
    fc.record({ textDocument: document, position }),
  ),
  'thoughtline/why': fc.record({ uri, position }),
  'thoughtline/thought': fc.record({ uri }),
  'thoughtline/statistics': any,
};
const notifications: Record<string, fc.Arbitrary<unknown>> = {
  'textDocument/didOpen': fc.record({ textDocument: document }),
  'textDocument/didChange': fc.record({
    textDocument: document,
    contentChanges: fc.oneof(fc.array(change, { maxLength: 3 }), any),
  }),
  'textDocument/didClose': fc.record({ textDocument: document }),
  'textDocument/didSave': fc.record({ textDocument: document, text: any }),
  'workspace/didChangeConfiguration': fc.record({ settings }),
  'workspace/didChangeWatchedFiles': fc.record({
    changes: fc.oneof(fc.array(fc.oneof(fc.record({ uri: fc.oneof(uri, any), type: any }), any)), any),
  }),
  'workspace/didChangeWorkspaceFolders': fc.record({
    event: fc.oneof(fc.record({ added: folders, removed: folders }), any),
  }),
  'window/workDoneProgress/cancel': fc.record({ token: any }),
  'thoughtline/snooze': fc.record({ on: fc.constant(false), until: any }),
  '$/cancelRequest': fc.record({ id: any }),
  '$/setTrace': fc.record({ value: any }),
  initialized: any,
};
const known = fc.oneof(
  ...Object.entries({ ...requests, ...notifications }).map(([method, params]) =>
    fc.record({ method: fc.constant(method), params: fc.oneof(params, any) }),
  ),
);
const unknown = fc.record({ method: fc.string(), params: any });

let sent = 0;
const message = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: known }, unknown), fc.boolean())
  .map(([content, request]) => ({ jsonrpc: '2.0', ...(request && { id: `fuzz-${sent++}` }), ...content }));

const frame = (body: string) => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** What is written to the server: messages, things that are no messages, texts that are no JSON, odd headers. */
const written = fc.oneof(
  { weight: 8, arbitrary: message.map((content) => frame(JSON.stringify(content))) },
  { weight: 2, arbitrary: any.map((content) => frame(JSON.stringify(content))) },
  { weight: 1, arbitrary: fc.string().map(frame) },
  {
    weight: 1,
    arbitrary: message.map((content) => {
      const body = JSON.stringify(content);
      return `Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    }),
  },
);

/** A server for the property below, and how to be rid of it. */
export async function protocolServer(): Promise<{ property: Property; answered: Property; stop: () => Promise<void> }> {
  const client = await LspClient.start({ bundle: tiny, settings: { inferenceSteps: 1 }, keepOutput: false });
  // Answers to what was no request of the client's are of no interest to it.
  client.connection.onError(() => undefined);
  // A request to a server that has ended is never settled.
  const ended = new Promise<never>((_, reject) => {
    client.server.once('exit', (code, signal) => {
      reject(
        new Error(`the server ended (${signal ?? code})\n${client.output.stderr}\n${client.logs.slice(-5).join('\n')}`),
      );
    });
  });
  ended.catch(() => undefined);
  await client.ready();
  const steady = new EditedDocument('file:///w/steady.ts', 'const a = 1;\n'.repeat(20));
  await client.open(steady.uri, steady.text);
  const property: Property = {
    name: 'protocol: whatever is written to the server, it lives and its documents are the editor’s',
    weight: 2,
    once: true,
    property: () =>
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 4 }), fc.nat(), async (frames, where) => {
        for (const one of frames) client.server.stdin!.write(one);
        await steady.edit(client, where % steady.text.length, 3, 'x𝒳');
        await Promise.race([steady.compare(client), ended]);
        assert.equal(client.output.stderr, '');
      }),
  };
  const stop = async () => void (await client.stop());
  return { property, answered: answeredProperty(client), stop };
}

/** How the server's line about a promise without a handler begins. */
const UNEXPECTED = 'unexpected: ';

/** JSON-RPC: something in the server was thrown that nobody expected. */
const INTERNAL_ERROR = -32603;

function answeredProperty(client: LspClient): Property {
  const request = fc.oneof(
    ...Object.entries(requests).map(([method, params]) =>
      fc.record({ method: fc.constant(method), params: fc.oneof({ weight: 3, arbitrary: params }, any) }),
    ),
  );
  return {
    name: 'protocol: each request is answered, by what was asked for or by what it lacks',
    weight: 1,
    once: true,
    property: () =>
      fc.asyncProperty(request, async ({ method, params }) => {
        const code = await client.connection.sendRequest(method, params).then(
          () => undefined,
          (error: { code: number }) => error.code,
        );
        assert.notEqual(code, INTERNAL_ERROR, client.logs.at(-1));
        assert.ok(!client.logs.some((line) => line.startsWith(UNEXPECTED)), client.logs.at(-1));
      }),
  };
}
