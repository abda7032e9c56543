/**
 * The program that gets and adopts models for the extension: one process for each time that the user asks for one. It is
 * the only program of the extension that knows the network, and uses it only to get the code model from its official
 * address. It ends when it has answered, or when nobody listens any more.
 */
import { messageOf } from '../model/errors';
import { adopt } from './adopt';
import type { FromAdoption, ToAdoption } from './messages';
import { coderDescription, obtainCoder, sharedWithOthers } from './sources/coder';
import { readDescription } from './sources/description';
import { downloadSource } from './sources/download';
import { remove } from './sources/obtain';

const control = new AbortController();
const { signal } = control;

const say = (message: FromAdoption) =>
  new Promise<void>((done) => (process.connected ? process.send!(message, () => done()) : done()));
const onProgress = (share: number, what: string) => void say({ type: 'progress', share, what });

async function run(order: Exclude<ToAdoption, { type: 'cancel' }>): Promise<FromAdoption> {
  switch (order.type) {
    case 'obtain': {
      const { cache, places } = order;
      const fetchers = { https: downloadSource };
      return { type: 'done', directory: await obtainCoder({ cache, places, fetchers, signal, onProgress }), notes: [] };
    }
    case 'adopt': {
      const { source, directory, name } = order;
      const options = { name, ...sharedWithOthers(), signal, onProgress };
      return { type: 'done', directory, notes: await adopt(source, directory, options) };
    }
    case 'remove':
      await remove(order.cache, readDescription(coderDescription()));
      return { type: 'done', directory: order.cache, notes: [] };
  }
}

process.on('disconnect', () => control.abort());
process.on('message', (message: ToAdoption) => {
  if (message.type === 'cancel') return control.abort();
  void run(message)
    .catch((error: unknown): FromAdoption => {
      return signal.aborted ? { type: 'cancelled' } : { type: 'failed', reason: messageOf(error) };
    })
    .then(say)
    .then(() => process.exit());
});
