/** What the server is told by the place where it lies and by the process that starts it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOKEN_VARIABLE } from '../protocol';

/** The extension's version, where it lies next to this program. */
export function ownVersion(): string {
  try {
    const { version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };
    return version;
  } catch {
    return 'unknown';
  }
}

/** The endpoint's token, from the environment; no process that is started from here inherits it. */
export function takeToken(): string | undefined {
  const token = process.env[TOKEN_VARIABLE];
  delete process.env[TOKEN_VARIABLE];
  return token || undefined;
}
