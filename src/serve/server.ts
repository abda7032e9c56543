import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackHost } from '../api/address';
import type { Engine } from '../completion/engine';
import { messageOf, UserError } from '../model/errors';
import { Service, type ServiceOptions } from './service';

export interface ServeOptions extends ServiceOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Serving {
  /** Where it can be reached. */
  readonly address: string;
  /** Answers what it owes, and ends. */
  close(): Promise<void>;
}

/** Connections that may be open at once. */
const MAX_CONNECTIONS = 512;

/** Milliseconds in which a request has to have come whole, its head sooner. */
const RECEIVING_MS = 30_000;

/**
 * Serves an engine by the completions API until it is closed. The engine is not closed.
 * @throws UserError where it would be open to others without a token, or the address cannot be had
 */
export async function serve(engine: Engine, options: ServeOptions): Promise<Serving> {
  const { host, port, token } = options;
  if (token === undefined && !isLoopbackHost(host)) {
    throw new UserError(`--host ${host}: others could use this; give a token (THOUGHTLINE_TOKEN or --token-file)`);
  }
  const service = new Service(engine, options);
  const server = createServer(
    { requestTimeout: RECEIVING_MS, headersTimeout: RECEIVING_MS / 2 },
    (request, response) => {
      void service.handle(request, response);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  // A connection on which nothing happens for longer than a request may wait is given up.
  server.timeout = options.limitMs + RECEIVING_MS;
  await listen(server, host, port);
  const { address, port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${address.includes(':') ? `[${address}]` : address}:${taken}`,
    close: async () => {
      service.draining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), options.limitMs);
      await closed;
      clearTimeout(timer);
      await service.rested();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new UserError(`${host}:${port}: ${messageOf(error)}; choose another --port`)),
    );
    server.listen(port, host, () => resolve());
  });
}
