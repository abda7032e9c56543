import { isRecord } from '../json';

/** Settings as a client has them. */
type Given = Readonly<Record<string, unknown>>;

/**
 * What a client has said of the settings, by each of the ways that the protocol has for it: when it starts the server, when
 * it tells that settings changed, and when it is asked. Editors use one of them, or several, and leave the others empty:
 * `null` and `{}` mean that nothing is said there. So what is not said changes nothing, setting by setting.
 */
export class ClientSettings {
  #started: Given = {};
  #pushed: Given = {};
  #pulled: Given = {};

  /** `initializationOptions.settings`. */
  start(given: unknown): void {
    this.#started = givenSettings(given) ?? this.#started;
  }

  /** The settings of `workspace/didChangeConfiguration`, of all that the editor has: ours are a section of them. */
  push(given: unknown): void {
    const settings = givenSettings(givenSettings(given)?.['thoughtline']);
    if (!settings) return;
    this.#pushed = settings;
    // It is newer than what was pulled before.
    this.#pulled = Object.fromEntries(Object.entries(this.#pulled).filter(([name]) => !Object.hasOwn(settings, name)));
  }

  /** The section that `workspace/configuration` was answered with, for all documents. */
  pull(given: unknown): void {
    this.#pulled = givenSettings(given) ?? this.#pulled;
  }

  /** What holds; `own` is what the client says of one document. */
  all(own?: unknown): Given {
    return { ...this.#started, ...this.#pushed, ...this.#pulled, ...givenSettings(own) };
  }
}

/**
 * What is said in a table of settings, without names that have no value; undefined where nothing is. Some editors write an
 * empty table as an empty array.
 */
export function givenSettings(given: unknown): Given | undefined {
  if (!isRecord(given)) return undefined;
  const settings = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  return settings.length > 0 ? Object.fromEntries(settings) : undefined;
}
