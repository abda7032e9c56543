/**
 * The life of the inference process as a pure state machine:
 *
 *   off → loading → ready → off          and from loading or ready, when the process dies:
 *           ↑         │                    → waiting (back-off) → loading, at most `limit.crashes` times in a row,
 *           └ waiting ┘                    → failed (reason) after that; `restart` begins anew.
 *
 * Deaths are in a row when no answer came between them and they are less than `limit.windowMs` apart: a process that does
 * its work and is killed from outside now and then is started again for ever.
 */
export type Lifecycle = { readonly crashes: readonly number[] } & (
  | { readonly state: 'off' | 'loading' | 'waiting' }
  | { readonly state: 'ready'; readonly device: string }
  | { readonly state: 'failed'; readonly reason: string }
);

export type LifecycleEvent =
  | { readonly type: 'start' | 'stop' | 'restart' | 'backedOff' }
  /** The bundle is loaded. */
  | { readonly type: 'ready'; readonly device: string }
  /** The model has answered a request. */
  | { readonly type: 'served' }
  /** The process says that the bundle cannot be used: trying again would not help. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The process ended unasked. `at`: milliseconds on any steady clock. */
  | { readonly type: 'died'; readonly how: string; readonly at: number };

export type Effect = { readonly type: 'spawn' | 'kill' } | { readonly type: 'wait'; readonly milliseconds: number };

export const limit = { crashes: 4, windowMs: 60_000, backOffMs: [50, 250, 1_000, 4_000] } as const;

export const initial: Lifecycle = { state: 'off', crashes: [] };

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
        to: { state: 'loading', crashes: [] },
        effects: alive ? [{ type: 'kill' }, { type: 'spawn' }] : [{ type: 'spawn' }],
      };
    case 'backedOff':
      if (from.state !== 'waiting') return { to: from, effects: [] };
      return { to: { state: 'loading', crashes }, effects: [{ type: 'spawn' }] };
    case 'ready':
      if (from.state !== 'loading') return { to: from, effects: [] };
      return { to: { state: 'ready', device: event.device, crashes }, effects: [] };
    case 'served':
      if (from.state !== 'ready' || crashes.length === 0) return { to: from, effects: [] };
      return { to: { ...from, crashes: [] }, effects: [] };
    case 'refused':
      if (!alive) return { to: from, effects: [] };
      return { to: { state: 'failed', reason: event.reason, crashes: [] }, effects: [{ type: 'kill' }] };
    case 'died': {
      if (!alive) return { to: from, effects: [] };
      const recent = [...crashes.filter((at) => event.at - at < limit.windowMs), event.at];
      if (recent.length > limit.crashes) {
        const reason = `the inference process ended ${recent.length} times within ${limit.windowMs / 1000} s, last: ${event.how}`;
        return { to: { state: 'failed', reason, crashes: [] }, effects: [] };
      }
      const milliseconds = limit.backOffMs[recent.length - 1] ?? limit.backOffMs[limit.backOffMs.length - 1]!;
      return { to: { state: 'waiting', crashes: recent }, effects: [{ type: 'wait', milliseconds }] };
    }
  }
}
