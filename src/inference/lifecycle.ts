/**
 * The life of the inference process as a pure state machine:
 *
 *   off → loading → ready → off          and from loading or ready, when the process dies:
 *           ↑         │                    → waiting (back-off) → loading, at most `limit.crashes` times in a row,
 *           └ waiting ┘                    → failed (reason) after that; `restart` begins again.
 *
 * Deaths are in a row when between them no answer came and no process was ready for `limit.steadyMs`: one that works, or
 * rests, and is killed from outside now and then is started again for ever. How long it loads does not matter: one that
 * hangs each time it loads is given up.
 */
export type Lifecycle = {
  /** Deaths in a row. */
  readonly crashes: number;
} & (
  | { readonly state: 'off' | 'loading' | 'waiting' }
  /** `since`: milliseconds on the clock of the events. */
  | { readonly state: 'ready'; readonly device: string; readonly since: number }
  | { readonly state: 'failed'; readonly reason: string }
);

export type LifecycleEvent =
  | { readonly type: 'start' | 'stop' | 'restart' | 'backedOff' }
  /** The bundle is loaded. `at`: milliseconds on any steady clock. */
  | { readonly type: 'ready'; readonly device: string; readonly at: number }
  /** A process that has loaded another model takes the place of the one that was there. */
  | { readonly type: 'replaced'; readonly device: string; readonly at: number }
  /** The model has answered a request. */
  | { readonly type: 'served' }
  /** The process says that the bundle cannot be used: trying again would not help. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The process ended unasked. */
  | { readonly type: 'died'; readonly how: string; readonly at: number };

export type Effect = { readonly type: 'spawn' | 'kill' } | { readonly type: 'wait'; readonly milliseconds: number };

export const limit = { crashes: 4, steadyMs: 60_000, backOffMs: [50, 250, 1_000, 4_000] } as const;

export const initial: Lifecycle = { state: 'off', crashes: 0 };

/** What comes after `event`, and what to do about it, in order. Events that mean nothing in a state change nothing. */
export function transition(from: Lifecycle, event: LifecycleEvent): { to: Lifecycle; effects: Effect[] } {
  const { crashes } = from;
  const alive = from.state === 'loading' || from.state === 'ready';
  switch (event.type) {
    case 'start':
      if (from.state !== 'off') return { to: from, effects: [] };
      return { to: { state: 'loading', crashes }, effects: [{ type: 'spawn' }] };
    case 'stop':
      return { to: initial, effects: alive ? [{ type: 'kill' }] : [] };
    case 'restart':
      return {
        to: { state: 'loading', crashes: 0 },
        effects: alive ? [{ type: 'kill' }, { type: 'spawn' }] : [{ type: 'spawn' }],
      };
    case 'backedOff':
      if (from.state !== 'waiting') return { to: from, effects: [] };
      return { to: { state: 'loading', crashes }, effects: [{ type: 'spawn' }] };
    case 'ready':
      if (from.state !== 'loading') return { to: from, effects: [] };
      return { to: { state: 'ready', device: event.device, since: event.at, crashes }, effects: [] };
    case 'replaced':
      if (from.state === 'off' || from.state === 'failed') return { to: from, effects: [] };
      return { to: { state: 'ready', device: event.device, since: event.at, crashes: 0 }, effects: [] };
    case 'served':
      if (from.state !== 'ready' || crashes === 0) return { to: from, effects: [] };
      return { to: { ...from, crashes: 0 }, effects: [] };
    case 'refused':
      if (!alive) return { to: from, effects: [] };
      return { to: { state: 'failed', reason: event.reason, crashes: 0 }, effects: [{ type: 'kill' }] };
    case 'died': {
      if (!alive) return { to: from, effects: [] };
      const steady = from.state === 'ready' && event.at - from.since >= limit.steadyMs;
      const row = steady ? 1 : crashes + 1;
      if (row > limit.crashes) {
        const reason = `the inference process ended ${row} times in a row, last: ${event.how}`;
        return { to: { state: 'failed', reason, crashes: 0 }, effects: [] };
      }
      const milliseconds = limit.backOffMs[row - 1] ?? limit.backOffMs[limit.backOffMs.length - 1]!;
      return { to: { state: 'waiting', crashes: row }, effects: [{ type: 'wait', milliseconds }] };
    }
  }
}

/** One line about a state in which no suggestion can come. */
export function describe(lifecycle: Lifecycle): string {
  switch (lifecycle.state) {
    case 'off':
      return 'completion is switched off';
    case 'loading':
    case 'waiting':
      return 'the model is loading';
    case 'ready':
      return 'the model is ready';
    case 'failed':
      return `the model failed: ${lifecycle.reason}`;
  }
}
