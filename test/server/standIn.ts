/**
 * The real language server with a stand-in for its inference process (standIn.cjs), which writes down all that would reach a
 * model and answers what the test says: what is decided in the server is seen whatever a model would write.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ToInference } from '../../src/inference/messages';
import { dist, LspClient, type Start } from './client';

/** What is answered to a request for a suggestion, where the text before the cursor ends so; "" for any. */
export interface Answer {
  readonly after: string;
  readonly text: string;
  readonly stop?: string;
  readonly replaceSuffix?: number;
  /** In the first answers: the model reads what follows in the cursor's line. */
  readonly infills?: true;
}

export interface StandIn {
  readonly client: LspClient;
  /** All messages that came so far. */
  readonly received: () => ToInference[];
  /** Suggestions that were asked for so far. */
  readonly asked: () => Extract<ToInference, { type: 'complete' }>[];
  /** Answers otherwise from now on. */
  readonly answer: (answers: readonly Answer[]) => void;
  readonly stop: () => Promise<void>;
}

/** @param answers the first that fits serves */
export async function standIn(answers: readonly Answer[], start: Start = {}): Promise<StandIn> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-stand-in-'));
  const program = join(folder, 'server.js');
  copyFileSync(join(dist, 'server.js'), program);
  copyFileSync(join(__dirname, 'standIn.cjs'), join(folder, 'inference.js'));
  const answer: StandIn['answer'] = (now) => writeFileSync(join(folder, 'answers.json'), JSON.stringify(now));
  answer(answers);
  const client = await LspClient.start({ program, bundle: folder, ...start });
  await client.until(() => client.status?.state === 'ready', 'the stand-in', 30_000);
  const log = () => readFileSync(join(folder, 'received.jsonl'), 'utf8').split('\n').filter(Boolean);
  const received = () => log().map((line) => JSON.parse(line) as ToInference);
  const asked = () => received().filter((message) => message.type === 'complete');
  const stop = async () => {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { client, received, asked, answer, stop };
}
