import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../reliability/fuzz';
import { protocolServer } from '../reliability/protocol';
import { LspClient, tiny } from './client';
import { EditedDocument } from '../reliability/typist';

test('malformed, unknown and untimely messages: the server lives, and its documents are the editor’s', async (context) => {
  const server = await protocolServer();
  context.after(() => server.stop());
  const { cases } = await fuzz([server.property, server.answered], 900, 20261122);
  assert.equal(cases, 900);
});

test('a message of 32 MB is taken like any other', async (context) => {
  const client = await LspClient.start({ bundle: tiny, settings: { inferenceSteps: 0 }, keepOutput: false });
  context.after(() => client.stop());
  const large = new EditedDocument('file:///w/large.ts', 'const 中 = 1;\n'.repeat(2_200_000));
  assert.ok(Buffer.byteLength(large.text) > 32_000_000);
  await client.open(large.uri, large.text);
  await large.edit(client, 15_000_000, 3, '👍');
  await large.compare(client);
});
