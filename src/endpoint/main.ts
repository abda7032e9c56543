/**
 * The program that asks an endpoint for texts: started by the language server when `thoughtline.endpoint` names one, and
 * only then. It sends what it is told to the one address it was opened with, and ends with whoever started it.
 */
import { messageOf } from '../model/errors';
import { Endpoint } from './ask';
import type { FromEndpoint, ToEndpoint } from './messages';

const under = new Map<number, AbortController>();
let endpoint: Endpoint | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (message: ToEndpoint) => {
  switch (message.type) {
    case 'open':
      endpoint = new Endpoint(message.base, message.token);
      break;
    case 'ask':
      void ask(message);
      break;
    case 'abort':
      under.get(message.id)?.abort(new Error('it is no longer wanted'));
      break;
  }
});

async function ask({ id, request, limitMs }: Extract<ToEndpoint, { type: 'ask' }>): Promise<void> {
  const control = new AbortController();
  under.set(id, control);
  const timer = setTimeout(() => control.abort(new Error(`no answer within ${limitMs} ms`)), limitMs);
  try {
    if (!endpoint) throw new Error('no endpoint is open');
    send({ type: 'wrote', id, ...(await endpoint.ask(request, control.signal)) });
  } catch (error) {
    send({ type: 'failed', id, reason: messageOf(error) });
  } finally {
    clearTimeout(timer);
    under.delete(id);
  }
}

function send(message: FromEndpoint): void {
  // A parent that has just gone cannot be told; `disconnect` follows.
  if (process.connected) process.send?.(message, () => undefined);
}
