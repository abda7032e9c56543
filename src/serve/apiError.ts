import type { ErrorObject } from '../api/objects';

/** A request that is not answered with a text: what the client is told, as the API's own error object. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    message: string,
    readonly details: { readonly type?: string; readonly param?: string; readonly code?: string } = {},
  ) {
    super(message);
  }

  get object(): ErrorObject {
    const { type = this.status < 500 ? 'invalid_request_error' : 'server_error', param, code } = this.details;
    return { error: { message: this.message, type, param: param ?? null, code: code ?? null } };
  }
}

/** There is more to do than can be done in time; the client may try again later. */
export function overloaded(message: string): ApiError {
  return new ApiError(503, message, { type: 'server_error', code: 'overloaded' });
}
