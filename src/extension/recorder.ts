import { window, workspace, type Disposable, type Memento, type TextDocument } from 'vscode';
import type { Offered } from './client';
import { follow, shifted, stillThere, type Offer, type OfferEvent, type Stretch } from './offers';
import { count, noStatistics, readStatistics, retention, type Statistics, type StatisticsEvent } from './statistics';

const key = 'thoughtline.statistics';

/** Events are stored together after this many milliseconds. */
const pace = 5_000;

/** Watches what becomes of suggestions and counts it in the extension's own storage on this machine. Nothing is sent. */
export class Recorder implements Disposable {
  readonly #changed: (() => void)[] = [];
  readonly #subscriptions: Disposable[];
  readonly #watched = new Set<{ uri: string; stretch: Stretch; readonly timers: NodeJS.Timeout[] }>();
  #offer: Offer | undefined;
  #complained = false;
  #last: { document: TextDocument; stretch: Stretch } | undefined;
  #waiting: { event: StatisticsEvent; day: string }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly storage: Memento,
    private readonly log: (line: string) => void,
  ) {
    this.#subscriptions = [
      workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        for (const { rangeOffset: offset, rangeLength: removed, text: inserted } of contentChanges) {
          this.#shift(String(document.uri), { offset, removed, inserted: inserted.length });
          if (this.#offer) {
            if (inserted.length > 1)
              this.#last = { document, stretch: { start: offset, end: offset + inserted.length } };
            this.#follow({ type: 'changed', uri: String(document.uri), offset, inserted, now: Date.now() });
          }
        }
      }),
      window.onDidChangeActiveTextEditor(() => this.#follow({ type: 'left', now: Date.now() })),
    ];
  }

  /** All that has been counted. Other windows may have counted meanwhile: their counts are in the storage. */
  get statistics(): Statistics {
    const { statistics, dropped } = readStatistics(this.storage.get(key));
    if (dropped !== undefined && !this.#complained) {
      this.#complained = true;
      this.log(dropped);
    }
    return this.#waiting.reduce((all, { event, day }) => count(all, event, day), statistics);
  }

  /** Whether the last change took a suggestion, or more than a letter of it, as whoever hears of the change later can ask. */
  get taken(): boolean {
    return (this.#offer?.last ?? 0) > 1;
  }

  /** Calls back whenever something was counted. */
  onChange(listener: () => void): void {
    this.#changed.push(listener);
  }

  /** The editor was given an answer. */
  offered({ document, offset, text, others, milliseconds }: Offered): void {
    if (text === undefined) return;
    this.count({ type: 'answered', milliseconds });
    this.#follow({ type: 'offered', uri: String(document.uri), offset, text, others, now: Date.now() });
  }

  /** The editor says that a whole suggestion was accepted. @returns where it stands, if that was seen */
  accepted(): { document: TextDocument; stretch: Stretch } | undefined {
    const last = this.#last;
    this.#follow({ type: 'accepted' });
    if (last !== undefined) this.#watch(last.document, last.stretch);
    this.#last = undefined;
    return last;
  }

  /** The user sent away what stood at a place; says whether that was ours: others suggest, too. */
  dismissed(document: TextDocument, offset: number): boolean {
    const ours = this.#offer?.uri === String(document.uri) && this.#offer.offset === offset;
    if (ours) this.#follow({ type: 'left', now: Date.now() });
    return ours;
  }

  async reset(): Promise<void> {
    this.#waiting = [];
    await this.storage.update(key, noStatistics);
    for (const listener of this.#changed) listener();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    void this.#store();
    for (const { timers } of this.#watched) timers.forEach(clearTimeout);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #follow(event: OfferEvent): void {
    const { offer, events } = follow(this.#offer, event);
    this.#offer = offer;
    for (const counted of events) this.count(counted);
  }

  #shift(uri: string, change: { offset: number; removed: number; inserted: number }): void {
    for (const watched of this.#watched) if (watched.uri === uri) watched.stretch = shifted(watched.stretch, change);
  }

  /** Looks at accepted text again and again. What was closed meanwhile is not counted. */
  #watch(document: TextDocument, stretch: Stretch): void {
    const text = textOf(document, stretch);
    const watched = { uri: String(document.uri), stretch, timers: [] as NodeJS.Timeout[] };
    this.#watched.add(watched);
    for (const after of retention) {
      const timer = setTimeout(() => {
        if (!document.isClosed) {
          const kept = stillThere(text, textOf(document, watched.stretch));
          this.count({ type: 'checked', after, kept });
        }
        if (after === retention.at(-1)) this.#watched.delete(watched);
      }, after * 1000);
      watched.timers.push(timer);
    }
  }

  /** Counts something that has happened today. */
  count(event: StatisticsEvent): void {
    this.#waiting.push({ event, day: today() });
    this.#timer ??= setTimeout(() => void this.#store(), pace);
    for (const listener of this.#changed) listener();
  }

  async #store(): Promise<void> {
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const { statistics } = this;
    this.#waiting = [];
    await this.storage.update(key, statistics);
  }
}

function textOf(document: TextDocument, { start, end }: Stretch): string {
  return document.getText().slice(start, end);
}

/** The day where the user is. */
function today(now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
