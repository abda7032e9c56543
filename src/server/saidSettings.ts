/** Settings as a client has them. */
type Said = Readonly<Record<string, unknown>>;

/**
 * What a client has said of the settings, by each of the ways that the protocol has for it: when it starts the server, when
 * it tells that settings changed, and when it is asked. Editors use one of them, or several, and leave the others empty:
 * `null` and `{}` mean that nothing is said there. So what is not said changes nothing, setting by setting.
 */
export class SaidSettings {
  #started: Said = {};
  #pushed: Said = {};
  #pulled: Said = {};

  /** `initializationOptions.settings`. */
  start(given: unknown): void {
    this.#started = saidOf(given) ?? this.#started;
  }

  /** The settings of `workspace/didChangeConfiguration`, of all that the editor has: ours are a section of them. */
  push(given: unknown): void {
    const said = saidOf(saidOf(given)?.['thoughtline']);
    if (!said) return;
    this.#pushed = said;
    // It is newer than what was pulled before.
    this.#pulled = Object.fromEntries(Object.entries(this.#pulled).filter(([name]) => !Object.hasOwn(said, name)));
  }

  /** The section that `workspace/configuration` was answered with, for all documents. */
  pull(given: unknown): void {
    this.#pulled = saidOf(given) ?? this.#pulled;
  }

  /** What holds; `own` is what the client says of one document. */
  all(own?: unknown): Said {
    return { ...this.#started, ...this.#pushed, ...this.#pulled, ...saidOf(own) };
  }
}

/**
 * What is said in a table of settings, without names that have no value; undefined where nothing is. Some editors write an
 * empty table as an empty array.
 */
export function saidOf(given: unknown): Said | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const said = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  return said.length > 0 ? Object.fromEntries(said) : undefined;
}
