/** The menu of the status item: what it offers in which state. */
import { deviceName } from './deviceName';
import { describeSnooze, type Snooze } from './snooze';
import { t } from './l10n';

export interface MenuState {
  readonly enable: boolean;
  /** The active editor's language, and whether suggestions are on for it; undefined without an editor. */
  readonly language: { readonly id: string; readonly on: boolean } | undefined;
  readonly snooze: Snooze;
  /** The setting, and what is really used. */
  readonly device: { readonly wanted: string; readonly used: string | undefined };
  /** The model that serves, and the setting; whether the code model has been got, and its size for people. */
  readonly model: {
    readonly wanted: string;
    readonly used: string | undefined;
    readonly got: boolean;
    readonly size: string;
  };
  /** What the user wants, null: what pays with the model; and what that is. */
  readonly inferenceSteps: number | null;
  readonly defaultSteps: number | undefined;
  /** What is done beside GitHub Copilot, where that suggests, too. */
  readonly besideCopilot?: string | undefined;
  readonly now: number;
}

/** `command` is run without the `thoughtline.` before it; an entry without one separates groups. */
export interface MenuEntry {
  readonly label: string;
  readonly description?: string;
  readonly command?: string;
}

export function menuEntries(state: MenuState): MenuEntry[] {
  const { enable, language, snooze, device, model, inferenceSteps, now } = state;
  const snoozed = describeSnooze(snooze, now);
  const entries: (MenuEntry | false)[] = [
    {
      label: enable ? `$(circle-slash) ${t('Switch suggestions off')}` : `$(sparkle) ${t('Switch suggestions on')}`,
      command: 'toggle',
    },
    language !== undefined && {
      label: language.on
        ? `$(circle-slash) ${t('Switch off for {0} files', language.id)}`
        : `$(sparkle) ${t('Switch on for {0} files', language.id)}`,
      command: 'toggleLanguage',
    },
    snoozed === undefined
      ? enable && { label: `$(bell-slash) ${t('Snooze…')}`, command: 'snooze' }
      : { label: `$(bell) ${t('End snooze')}`, description: snoozed, command: 'endSnooze' },
    state.besideCopilot !== undefined && {
      label: `$(copilot) ${t('Beside GitHub Copilot…')}`,
      description: state.besideCopilot,
      command: 'selectBeside',
    },
    { label: t('Model') },
    {
      label: `$(package) ${t('Model…')}`,
      description: model.used === undefined ? model.wanted : t('{0}, running {1}', model.wanted, model.used),
      command: 'selectModel',
    },
    !model.got && { label: `$(cloud-download) ${t('Get the code model ({0})', model.size)}`, command: 'getCoder' },
    { label: t('Thinking') },
    {
      label: `$(symbol-numeric) ${t('Inference steps…')}`,
      description: describeSteps(inferenceSteps, state.defaultSteps),
      command: 'selectSteps',
    },
    {
      label: `$(circuit-board) ${t('Device…')}`,
      description:
        device.used === undefined ? device.wanted : t('{0}, running on {1}', device.wanted, deviceName(device.used)),
      command: 'selectDevice',
    },
    { label: `$(graph-line) ${t('Show thought')}`, command: 'showThought' },
    { label: t('Help') },
    { label: `$(question) ${t('Why no suggestion?')}`, command: 'why' },
    { label: `$(graph) ${t('Statistics')}`, command: 'showStatistics' },
    { label: `$(output) ${t('Show log')}`, command: 'showLog' },
    { label: `$(refresh) ${t('Restart')}`, command: 'restart' },
    { label: `$(settings-gear) ${t('Settings')}`, command: 'openSettings' },
  ];
  return entries.filter((entry) => entry !== false);
}

function describeSteps(wanted: number | null, pays: number | undefined): string {
  if (wanted === null) return pays === undefined ? t('automatic') : t('automatic: {0}', pays);
  return wanted === 0 ? t('no thinking') : String(wanted);
}

/** Inference steps that are offered, with what they mean; null: what pays with the model. */
export function stepChoices(): { steps: number | null; note: string }[] {
  return [
    { steps: null, note: t('as many as pay with the model') },
    { steps: 0, note: t('no thinking') },
    { steps: 1, note: '' },
    { steps: 2, note: '' },
    { steps: 4, note: '' },
    { steps: 8, note: '' },
    { steps: 16, note: t('slower') },
    { steps: 32, note: t('slowest') },
  ];
}
