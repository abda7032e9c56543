import { EventEmitter, type Disposable } from 'vscode';
import { awake, nextSnooze, untilChange, type Snooze, type SnoozeEvent } from './snooze';

/** The snooze of this window, with the clock that ends it. */
export class Snoozer implements Disposable {
  readonly #changed = new EventEmitter<Snooze>();
  readonly onChange = this.#changed.event;
  #snooze: Snooze = awake;
  #timer: NodeJS.Timeout | undefined;

  get snooze(): Snooze {
    return this.#snooze;
  }

  /** @param minutes left out: until the window is opened again */
  begin(minutes?: number): void {
    const now = Date.now();
    this.#handle(minutes === undefined ? { type: 'snooze', now } : { type: 'snooze', minutes, now });
  }

  end(): void {
    this.#handle({ type: 'end' });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#changed.dispose();
  }

  #handle(event: SnoozeEvent): void {
    this.#snooze = nextSnooze(this.#snooze, event);
    clearTimeout(this.#timer);
    const wait = untilChange(this.#snooze, Date.now());
    if (wait !== undefined) {
      this.#timer = setTimeout(() => this.#handle({ type: 'tick', now: Date.now() }), Math.max(50, wait));
    }
    this.#changed.fire(this.#snooze);
  }
}
