/** What every layer knows of values that came from elsewhere. It imports nothing, so that the extension can have it, too. */

/** What a text of JSON says; undefined for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether something is an object with names, as `{}` is and `[]` is not. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
