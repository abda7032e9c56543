import { commands, window, type Disposable, type LogOutputChannel, type QuickPickItem, type TextEditor } from 'vscode';
import { readSettings, writeSetting } from './settings';
import { statusView } from './statusView';
import type { Client } from './client';
import type { ThoughtPanel } from './thoughtPanel';
import type { WhyReport } from '../protocol';

export interface CommandContext {
  log: LogOutputChannel;
  panel: ThoughtPanel;
  /** The client, where one has been made. */
  client: () => Client | undefined;
  /** The client, made where there is none. */
  obtain: () => Promise<Client>;
}

interface Choice extends QuickPickItem {
  run?: () => unknown;
}

/** So many of the last decisions stand in the list; all of them in the log. */
const shownDetails = 6;

const openSettings = () => commands.executeCommand('workbench.action.openSettings', '@ext:thoughtline.thoughtline');

/** Registers the commands of package.json. */
export function registerCommands(context: CommandContext): Disposable[] {
  const register = (name: string, action: () => unknown) => commands.registerCommand(`thoughtline.${name}`, action);
  return [
    register('toggle', () => writeSetting('enable', !readSettings().enable)),
    register('showLog', () => context.log.show(true)),
    register('showThought', () => context.panel.show()),
    register('why', () => why(context)),
    register('restart', async () => {
      context.log.info('restart asked for');
      await (await context.obtain()).restart();
    }),
    register('menu', () => menu(context)),
  ];
}

/** Says why there is no suggestion at the cursor: in a list that Escape closes, and in the log. */
async function why({ client, log, panel }: CommandContext): Promise<void> {
  const { reason, details } = await explain(client(), window.activeTextEditor ?? panel.editor);
  log.info([`no suggestion: ${reason}`, ...details.map((line) => `  ${line}`)].join('\n'));
  const choices: Choice[] = [
    { label: `$(info) ${reason}` },
    ...details.slice(0, shownDetails).map((label) => ({ label })),
    { label: '$(output) Show log', run: () => log.show(true) },
    { label: '$(settings-gear) Settings', run: openSettings },
  ];
  const chosen = await window.showQuickPick(choices, { title: 'Why no suggestion?', placeHolder: 'The log has more' });
  await chosen?.run?.();
}

async function explain(client: Client | undefined, editor: TextEditor | undefined): Promise<WhyReport> {
  if (!readSettings().enable) return { reason: 'Suggestions are switched off (thoughtline.enable).', details: [] };
  if (editor === undefined) return { reason: 'No text editor has the focus.', details: [] };
  const status = statusView(client?.status ?? { state: 'loading' });
  const report = await client?.why(editor.document, editor.selection.active).catch(() => null);
  return report ?? { reason: `${status.label}.`, details: [] };
}

async function menu({ client, log, panel }: CommandContext): Promise<void> {
  const { enable, inferenceSteps } = readSettings();
  const run = (name: string) => () => commands.executeCommand(`thoughtline.${name}`);
  const choices: Choice[] = [
    {
      label: enable ? '$(circle-slash) Switch suggestions off' : '$(sparkle) Switch suggestions on',
      run: run('toggle'),
    },
    { label: '$(graph-line) Show thought', description: `${inferenceSteps} inference steps`, run: () => panel.show() },
    { label: '$(question) Why no suggestion?', run: run('why') },
    { label: '$(output) Show log', run: () => log.show(true) },
    { label: '$(refresh) Restart', run: run('restart') },
    { label: '$(settings-gear) Settings', run: openSettings },
  ];
  const status = statusView(client()?.status ?? { state: enable ? 'loading' : 'off' }).label;
  const chosen = await window.showQuickPick(choices, { title: 'Thoughtline', placeHolder: status });
  await chosen?.run?.();
}
