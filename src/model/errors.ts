/** An error whose one-line message names what is wrong and the remedy; it is shown to the user as it is. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The first line of whatever was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? text;
}
