import type { WorkDoneProgressServerReporter } from 'vscode-languageserver';
import { initial, type Lifecycle } from '../inference/lifecycle';
import type { IndexProgress } from '../inference/messages';
import type { EndpointStatus, Status } from '../protocol';

/** What is said of the model while one is ready. */
export type ModelStatus = Pick<Status, 'model' | 'readsThought' | 'defaultSteps' | 'because' | 'problem' | 'endpoint'>;

/** Tells the client how the model fares: a status whenever it changes, and work-done progress while the model loads. */
export class StatusReporter {
  readonly #send: (status: Status) => void;
  readonly #createProgress: () => Promise<WorkDoneProgressServerReporter>;
  #lifecycle: Lifecycle = initial;
  #thinking: { step: number; steps: number } | undefined;
  #model: ModelStatus = {};
  #endpoint: EndpointStatus | undefined;
  #last = '';
  #progress: Promise<WorkDoneProgressServerReporter | undefined> | undefined;

  /** @param createProgress gives a reporter that does nothing where the client does not support progress. */
  constructor(send: (status: Status) => void, createProgress: () => Promise<WorkDoneProgressServerReporter>) {
    this.#send = send;
    this.#createProgress = createProgress;
  }

  /** @param model what is said of the model from now on (default: what was said before) */
  lifecycle(lifecycle: Lifecycle, model = this.#model): void {
    this.#lifecycle = lifecycle;
    this.#model = model;
    if (lifecycle.state !== 'ready') this.#thinking = undefined;
    const loading = lifecycle.state === 'loading' || lifecycle.state === 'waiting';
    if (loading) this.#begin();
    else this.#end();
    this.#tell();
  }

  /** Which model serves from now on, and why. */
  model(model: ModelStatus): void {
    this.#model = model;
    this.#tell();
  }

  /** Where text is sent from now on; undefined: nowhere. */
  endpoint(endpoint: EndpointStatus | undefined): void {
    this.#endpoint = endpoint;
    this.#tell();
  }

  loading(fraction: number, message: string): void {
    void this.#progress?.then((progress) => progress?.report(100 * fraction, message));
  }

  thinking(step: number, steps: number): void {
    this.#thinking = { step, steps };
    this.#tell();
  }

  /** Nothing is thought about any more. */
  rested(): void {
    this.#thinking = undefined;
    this.#tell();
  }

  #begin(): void {
    this.#progress ??= this.#createProgress().then(
      (progress) => {
        progress.begin('Thoughtline', 0, 'loading the model', false);
        return progress;
      },
      // A client that refuses the token gets no progress; loading goes on.
      () => undefined,
    );
  }

  #end(): void {
    void this.#progress?.then((progress) => progress?.done());
    this.#progress = undefined;
  }

  #tell(): void {
    const status = view(this.#lifecycle, this.#thinking, {
      ...this.#model,
      ...(this.#endpoint && { endpoint: this.#endpoint }),
    });
    const text = JSON.stringify(status);
    if (text !== this.#last) this.#send(status);
    this.#last = text;
  }
}

/** Work-done progress while a larger workspace is read, which the user can end. */
export class IndexReporter {
  readonly #create: () => Promise<WorkDoneProgressServerReporter>;
  readonly #cancel: () => void;
  #progress: Promise<WorkDoneProgressServerReporter | undefined> | undefined;

  /** @param cancel called when the user has had enough of it */
  constructor(create: () => Promise<WorkDoneProgressServerReporter>, cancel: () => void) {
    this.#create = create;
    this.#cancel = cancel;
  }

  /** How far it is; undefined when it is over, or was never begun. */
  report(now: IndexProgress | undefined): void {
    if (!now) {
      void this.#progress?.then((progress) => progress?.done());
      this.#progress = undefined;
      return;
    }
    const percentage = Math.round((100 * now.done) / Math.max(1, now.total));
    const message = `reading the workspace: ${now.done} of ${now.total} files`;
    this.#progress ??= this.#create().then(
      (progress) => {
        progress.begin('Thoughtline', percentage, message, true);
        // A reporter for a client without progress has no token.
        progress.token?.onCancellationRequested(this.#cancel);
        return progress;
      },
      () => undefined,
    );
    void this.#progress.then((progress) => progress?.report(percentage, message));
  }
}

/** What the user is shown. */
export function view(
  lifecycle: Lifecycle,
  thinking: { step: number; steps: number } | undefined,
  model: ModelStatus = {},
): Status {
  switch (lifecycle.state) {
    case 'off':
      return { state: 'off' };
    case 'loading':
    case 'waiting':
      return { state: 'loading' };
    case 'failed':
      return { state: 'failed', reason: lifecycle.reason };
    case 'ready':
      return thinking
        ? { state: 'thinking', device: lifecycle.device, ...model, ...thinking }
        : { state: 'ready', device: lifecycle.device, ...model };
  }
}
