import {
  commands,
  window,
  workspace,
  type Disposable,
  type LogOutputChannel,
  type QuickPickItem,
  type SecretStorage,
  type TextDocument,
  type TextEditor,
} from 'vscode';
import { describeBundle, type BundleFacts } from './bundles';
import { copilotSuggests } from './copilot';
import { deviceName } from './deviceName';
import { addImports } from './importer';
import { menuEntries, stepChoices } from './menu';
import { acceptedCommand, TOKEN_SECRET } from './names';
import { editorsDoing, editorsReason } from './requests';
import { readSettings, writeSetting } from './settings';
import { describeSnooze, snoozeMinutes } from './snooze';
import { statusView } from './statusView';
import { t } from './l10n';
import type { Client } from './client';
import type { Models } from './models';
import type { NextEdits } from './nextEdits';
import type { Recorder } from './recorder';
import type { Snoozer } from './snoozer';
import type { StatisticsPanel } from './statisticsPanel';
import type { ThoughtPanel } from './thoughtPanel';
import type { WhyReport } from '../protocol';
import { languageEnabled, type SettingName, type Settings } from '../settings';

export interface CommandContext {
  log: LogOutputChannel;
  panel: ThoughtPanel;
  statistics: StatisticsPanel;
  recorder: Recorder;
  snoozer: Snoozer;
  nextEdits: NextEdits;
  models: Models;
  secrets: SecretStorage;
  /** What a setting can be, and what each of its words means. */
  choices: (setting: SettingName) => readonly { name: string; meaning: string }[];
  /** The user has seen what the status item says. */
  seen: () => void;
  /** The client, where one has been made. */
  client: () => Client | undefined;
  /** The client, made where there is none. */
  obtain: () => Promise<Client>;
}

interface Choice extends Omit<QuickPickItem, 'description'> {
  description?: string | undefined;
  run?: () => unknown;
}

/** So many of the last decisions stand in the list; all of them in the log. */
const shownDetails = 6;

const openSettings = () => commands.executeCommand('workbench.action.openSettings', '@ext:thoughtline.thoughtline');

/** Registers the commands of package.json. */
export function registerCommands(context: CommandContext): Disposable[] {
  const { log, panel, statistics, recorder, snoozer, nextEdits, models, obtain } = context;
  const register = (name: string, action: () => unknown) => commands.registerCommand(`thoughtline.${name}`, action);
  return [
    register('toggle', () => writeSetting('enable', !readSettings().enable)),
    register('toggleLanguage', () => toggleLanguage(context)),
    register('snooze', () => snooze(context)),
    register('endSnooze', () => snoozer.end()),
    register('selectSteps', selectSteps),
    register('selectDevice', () => selectDevice(context)),
    register('selectBeside', () => selectBeside(context)),
    register('selectModel', () => selectModel(context)),
    register('setEndpointToken', () => setEndpointToken(context)),
    register('getCoder', () => models.getCoder()),
    register('useGguf', () => models.useGguf()),
    register('removeCoder', () => models.removeCoder()),
    register('acceptNextEdit', () => nextEdits.accept()),
    register('dismissNextEdit', () => nextEdits.dismiss()),
    register('showLog', () => log.show(true)),
    register('showThought', () => panel.show()),
    register('showStatistics', () => statistics.show()),
    register('resetStatistics', () => resetStatistics(context)),
    register('why', () => why(context)),
    register('openWalkthrough', () =>
      commands.executeCommand('workbench.action.openWalkthrough', 'thoughtline.thoughtline#start', false),
    ),
    register('restart', async () => {
      log.info('restart asked for');
      await (await obtain()).restart();
    }),
    register('menu', () => menu(context)),
    register('dismiss', () => dismiss(context)),
    commands.registerCommand(acceptedCommand, async () => {
      const accepted = recorder.accepted();
      if (accepted) await addImports(accepted.document, accepted.stretch, (line) => log.warn(line));
    }),
  ];
}

async function choose(choices: Choice[], title: string, placeHolder: string): Promise<void> {
  const chosen = await window.showQuickPick(choices as (Choice & QuickPickItem)[], { title, placeHolder });
  await chosen?.run?.();
}

/** Hides the suggestion on screen, as Escape does; one of ours is not offered there again. */
async function dismiss({ client, recorder }: CommandContext): Promise<void> {
  const editor = window.activeTextEditor;
  await commands.executeCommand('editor.action.inlineSuggest.hide');
  if (editor === undefined) return;
  const { document, selection } = editor;
  if (recorder.dismissed(document, document.offsetAt(selection.active))) {
    await client()?.dismissed(document, selection.active);
  }
}

/** Says why there is no suggestion at the cursor: in a list that Escape closes, and in the log. */
async function why({ client, log, panel }: CommandContext): Promise<void> {
  const { reason, details } = await explain(client(), window.activeTextEditor ?? panel.editor);
  log.info([`no suggestion: ${reason}`, ...details.map((line) => `  ${line}`)].join('\n'));
  const choices: Choice[] = [
    { label: `$(info) ${reason}` },
    ...details.slice(0, shownDetails).map((label) => ({ label })),
    { label: `$(output) ${t('Show log')}`, run: () => log.show(true) },
    { label: `$(settings-gear) ${t('Settings')}`, run: openSettings },
  ];
  await choose(choices, t('Why no suggestion?'), t('The log has more'));
}

async function explain(client: Client | undefined, editor: TextEditor | undefined): Promise<WhyReport> {
  if (!readSettings().enable) return { reason: t('Suggestions are switched off (thoughtline.enable).'), details: [] };
  if (editor === undefined) return { reason: t('No text editor has the focus.'), details: [] };
  const { document, selection } = editor;
  const status = statusView(client?.status ?? { state: 'loading' });
  const report = await client?.why(document, selection.active).catch(() => null);
  const { reason, standing, details } = report ?? { reason: `${status.label}.`, standing: false, details: [] };
  const shows = workspace.getConfiguration('editor.inlineSuggest', document).get('enabled') !== false;
  const last = client?.requests.of(String(document.uri));
  // VS Code also gives a request up when a list takes the focus: what stands against every suggestion is the better reason.
  const theirs = editorsReason(shows, standing ? undefined : last, document.version) ?? besideReason(document);
  if (theirs !== undefined) return { reason: theirs, details: [reason, ...details] };
  return { reason, details: [editorsDoing(last, document.version), ...details].filter((line) => line !== undefined) };
}

function besideReason(document: TextDocument): string | undefined {
  if (readSettings().besideCopilot !== 'manual' || !copilotSuggests(document)) return undefined;
  return t('Beside GitHub Copilot suggestions come only when triggered manually (thoughtline.besideCopilot).');
}

async function menu({ client, snoozer, panel, models, seen }: CommandContext): Promise<void> {
  seen();
  const document = (window.activeTextEditor ?? panel.editor)?.document;
  const { enable, inferenceSteps, device, languages, model, besideCopilot } = readSettings(document);
  const now = Date.now();
  const status = client()?.status;
  const entries = menuEntries({
    enable,
    inferenceSteps,
    defaultSteps: status?.defaultSteps,
    now,
    besideCopilot: document && copilotSuggests(document) ? besideCopilot : undefined,
    snooze: snoozer.snooze,
    language: document && { id: document.languageId, on: languageEnabled(languages, document.languageId) },
    device: { wanted: device, used: status?.device },
    model: { wanted: model, used: status?.model, got: models.coder !== undefined, size: models.size },
  });
  const choices = entries.map(({ label, description, command }): Choice => {
    if (command === undefined) return { label, kind: separator };
    const run = command === 'openSettings' ? openSettings : () => commands.executeCommand(`thoughtline.${command}`);
    return { label, run, ...(description !== undefined && { description }) };
  });
  const { label } = statusView(status ?? { state: enable ? 'loading' : 'off' }, {
    snoozed: describeSnooze(snoozer.snooze, now),
  });
  await choose(choices, 'Thoughtline', label);
}

/** `QuickPickItemKind.Separator`. */
const separator = -1;

async function toggleLanguage({ panel }: CommandContext): Promise<void> {
  const document = (window.activeTextEditor ?? panel.editor)?.document;
  if (document === undefined) return;
  const { languages } = readSettings(document);
  const { languageId } = document;
  await writeSetting('languages', { ...languages, [languageId]: !languageEnabled(languages, languageId) }, document);
}

async function snooze({ snoozer }: CommandContext): Promise<void> {
  const choices: Choice[] = [
    ...snoozeMinutes.map((minutes) => ({ label: t('{0} minutes', minutes), run: () => snoozer.begin(minutes) })),
    { label: t('Until restart'), run: () => snoozer.begin() },
  ];
  await choose(choices, t('Snooze'), t('Pause automatic suggestions in this window for'));
}

async function selectSteps(): Promise<void> {
  const { inferenceSteps } = readSettings();
  const choices = stepChoices().map(({ steps, note }): Choice => {
    const current = steps === inferenceSteps ? ' $(check)' : '';
    return {
      label: `${steps ?? t('Automatic')}${current}`,
      description: note,
      run: () => writeSetting('inferenceSteps', steps),
    };
  });
  await choose(choices, t('Inference steps'), t('More: slower, closer to your files'));
}

async function selectDevice({ choices: of, client }: CommandContext): Promise<void> {
  const { device } = readSettings();
  const used = client()?.status.device;
  const choices = of('device').map(({ name, meaning }): Choice => {
    const current = name === device ? ' $(check)' : '';
    return { label: name + current, detail: meaning, run: () => writeSetting('device', name as Settings['device']) };
  });
  await choose(choices, t('Device'), used === undefined ? '' : t('running on {0}', deviceName(used)));
}

async function selectBeside({ choices: of }: CommandContext): Promise<void> {
  const { besideCopilot } = readSettings();
  const choices = of('besideCopilot').map(({ name, meaning }): Choice => {
    const current = name === besideCopilot ? ' $(check)' : '';
    const run = () => writeSetting('besideCopilot', name as Settings['besideCopilot']);
    return { label: name + current, detail: meaning, run };
  });
  await choose(choices, t('Beside GitHub Copilot'), t('VS Code shows the suggestion that comes first'));
}

async function selectModel({ models, client }: CommandContext): Promise<void> {
  const { model } = readSettings();
  const status = client()?.status;
  const run = (command: string) => () => commands.executeCommand(`thoughtline.${command}`);
  const choice = (value: string, detail: string, facts?: BundleFacts, label = value): Choice => ({
    label: value === model ? `${label} $(check)` : label,
    description: facts && describeBundle(facts),
    detail,
    run: () => writeSetting('model', value),
  });
  const { coder, own } = models;
  const named = ({ name, version }: BundleFacts) => `${name} ${version}`;
  const elsewhere = ['auto', 'nano', 'coder', ...own.map(({ folder }) => folder)].includes(model) ? [] : [model];
  const choices: Choice[] = [
    choice('auto', t('The code model, where it is there and fast enough, else nano')),
    choice('nano', t('The small model that comes with the extension'), models.shipped),
    coder !== undefined
      ? choice('coder', t('The code model, however fast it is'), models.facts(coder))
      : {
          label: `$(cloud-download) ${t('Get the code model ({0})', models.size)}`,
          description: t('licence {0}', models.licence),
          run: run('getCoder'),
        },
    ...own.map((facts) => choice(facts.folder, facts.folder, facts, named(facts))),
    ...elsewhere.map((folder) => choice(folder, t('The model in this folder'), models.facts(folder))),
    { label: `$(file-add) ${t('Use a GGUF file…')}`, run: run('useGguf') },
    { label: `$(folder-opened) ${t('Use a folder…')}`, run: () => models.useFolder() },
    ...(coder !== undefined || own.length > 0
      ? [{ label: `$(trash) ${t('Remove a model…')}`, run: () => removeModel(models) }]
      : []),
  ];
  await choose(choices, t('Model'), [status?.model, status?.problem ?? status?.because].filter(Boolean).join(': '));
}

/** Keeps the token of `thoughtline.endpoint` with VS Code, in no settings file; an empty one is forgotten. */
async function setEndpointToken({ secrets, client }: CommandContext): Promise<void> {
  const token = await window.showInputBox({
    title: t('Endpoint token'),
    prompt: t('Sent to the address in thoughtline.endpoint and nowhere else. Empty: none'),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined) return;
  await (token.trim() === '' ? secrets.delete(TOKEN_SECRET) : secrets.store(TOKEN_SECRET, token.trim()));
  // A server that runs has the token that it was started with.
  const running = client();
  if (running?.started) await running.restart();
}

/** Takes away what is no longer wanted of the models that were got. */
async function removeModel(models: Models): Promise<void> {
  const coder = models.coder === undefined ? undefined : models.facts(models.coder);
  const choices: Choice[] = [
    ...(coder ? [{ label: 'coder', description: describeBundle(coder), run: () => models.removeCoder() }] : []),
    ...models.own.map((facts) => ({
      label: `${facts.name} ${facts.version}`,
      description: describeBundle(facts),
      detail: facts.folder,
      run: () => models.removeOwn(facts),
    })),
  ];
  await choose(choices, t('Remove a model'), '');
}

async function resetStatistics({ recorder }: CommandContext): Promise<void> {
  const choices: Choice[] = [
    { label: `$(trash) ${t('Forget all that was counted')}`, run: () => recorder.reset() },
    { label: t('Keep it') },
  ];
  await choose(choices, t('Statistics'), t('This cannot be undone'));
}
