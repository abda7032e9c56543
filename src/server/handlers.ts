/** How requests and notifications reach the server, and how a request that is not understood is answered. */
import { ErrorCodes, ResponseError, type CancellationToken, type Connection } from 'vscode-languageserver/node';

/** Client and server packages may hold two copies of `vscode-jsonrpc`: what they share of a message type is its name. */
interface MessageType {
  readonly method: string;
}

export function onRequest(
  connection: Connection,
  { method }: MessageType,
  handler: (params: unknown, token: CancellationToken) => unknown,
): void {
  connection.onRequest(method, handler);
}

export function onNotification(
  connection: Connection,
  { method }: MessageType,
  handler: (params: unknown) => void,
): void {
  connection.onNotification(method, handler);
}

/** The answer to a request without what it is about. */
export function needs(fields: string): ResponseError<void> {
  return new ResponseError(ErrorCodes.InvalidParams, `the request needs ${fields}`);
}
