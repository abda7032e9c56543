import { deviceName } from './deviceName';
import { t } from './l10n';
import type { Status } from '../protocol';

/** What the status item shows. */
export interface StatusView {
  /** Short, with an icon. */
  text: string;
  /** The whole of it in words: tooltip, and label for screen readers. */
  label: string;
  severity: 'normal' | 'warning';
}

/** What stands against suggestions although the model is ready. */
export interface Standstill {
  /** The active editor's language where suggestions are off for it. */
  readonly languageOff?: string | undefined;
  /** How long suggestions are snoozed, in words. */
  readonly snoozed?: string | undefined;
  /** Where GitHub Copilot suggests in the active editor, too: its language, and whether the user has not been told yet. */
  readonly beside?: { readonly language: string; readonly news: boolean } | undefined;
}

/** Words and icon for a state. */
export function statusView(status: Status, { languageOff, snoozed, beside }: Standstill = {}): StatusView {
  const device = deviceName(status.device ?? '');
  switch (status.state) {
    case 'loading':
      return view('$(loading~spin) Thoughtline', t('Thoughtline is loading its model'));
    case 'off':
      return view('$(circle-slash) Thoughtline', t('Thoughtline is off'));
    case 'failed':
      return view(
        '$(warning) Thoughtline',
        t('Thoughtline failed: {0}', status.reason ?? t('the log says why')),
        'warning',
      );
    case 'thinking':
    case 'ready':
      if (snoozed !== undefined) return view('$(bell-slash) Thoughtline', t('Thoughtline is {0}', snoozed));
      if (languageOff !== undefined) {
        return view(
          '$(circle-slash) Thoughtline',
          t('Thoughtline is ready on {0}, and off in {1} files', device, languageOff),
        );
      }
      return besideCopilot(
        withEndpoint(
          status.state === 'ready' ? readyView(status, device) : thinkingView(status, device),
          status.endpoint,
        ),
        beside,
      );
  }
}

function readyView({ model, problem }: Status, device: string): StatusView {
  const ready =
    model === undefined
      ? t('Thoughtline is ready on {0}', device)
      : t('Thoughtline is ready: {0} on {1}', model, device);
  if (problem === undefined) return view('$(sparkle) Thoughtline', ready);
  return view(
    '$(sparkle) Thoughtline',
    t('{0}. The model that was chosen cannot be used: {1}', ready, problem),
    'warning',
  );
}

function thinkingView({ model, step = 0, steps = 0 }: Status, device: string): StatusView {
  const label =
    model === undefined
      ? t('Thoughtline is thinking, step {0} of {1} on {2}', step, steps, device)
      : t('Thoughtline is thinking, step {0} of {1}: {2} on {3}', step, steps, model, device);
  return view(`$(loading~spin) Thoughtline ${step}/${steps}`, label);
}

/** Says that text is sent to an endpoint, and where; or why it did not write. */
function withEndpoint(local: StatusView, endpoint: Status['endpoint']): StatusView {
  if (endpoint === undefined) return local;
  const { host, model, problem } = endpoint;
  const text = local.text.replace('$(sparkle)', '$(cloud)');
  if (problem !== undefined) {
    const label = t('{0}. It writes, since the endpoint does not: {1}', local.label, problem);
    return { text, label, severity: 'warning' };
  }
  const writer = model === undefined ? host : t('{0} at {1}', model, host);
  return { ...local, text, label: t('{0}. Text around the cursor is sent to {1}, which writes', local.label, writer) };
}

/** Says that somebody else suggests, too: in the item's text until the user has seen it, then only in its label. */
function besideCopilot(alone: StatusView, beside: Standstill['beside']): StatusView {
  if (beside === undefined) return alone;
  const label = t('{0}. GitHub Copilot suggests in {1} files, too', alone.label, beside.language);
  return { ...alone, label, ...(beside.news && { text: `$(info) ${t('Thoughtline beside Copilot')}` }) };
}

function view(text: string, label: string, severity: StatusView['severity'] = 'normal'): StatusView {
  return { text, label, severity };
}
