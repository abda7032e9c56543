import type { Status } from '../protocol';

/** What the status item shows. */
export interface StatusView {
  /** Short, with an icon. */
  text: string;
  /** The whole of it in words: tooltip, and label for screen readers. */
  label: string;
  severity: 'normal' | 'warning';
}

/**
 * Words and icon for a state.
 * @param languageOff the active editor's language where suggestions are off for it
 */
export function statusView(status: Status, languageOff?: string): StatusView {
  const device = status.device === undefined ? '' : ` on ${status.device}`;
  switch (status.state) {
    case 'loading':
      return view('$(loading~spin) Thoughtline', 'Thoughtline is loading its model');
    case 'thinking': {
      const progress = `${status.step ?? 0} of ${status.steps ?? 0}`;
      return view(`$(loading~spin) Thoughtline ${progress}`, `Thoughtline is thinking, step ${progress}${device}`);
    }
    case 'off':
      return view('$(circle-slash) Thoughtline', 'Thoughtline is off');
    case 'failed':
      return view('$(warning) Thoughtline', `Thoughtline failed: ${status.reason ?? 'the log says why'}`, 'warning');
    case 'ready':
      return languageOff === undefined
        ? view('$(sparkle) Thoughtline', `Thoughtline is ready${device}`)
        : view('$(circle-slash) Thoughtline', `Thoughtline is ready${device}, and off in ${languageOff} files`);
  }
}

function view(text: string, label: string, severity: StatusView['severity'] = 'normal'): StatusView {
  return { text, label, severity };
}
