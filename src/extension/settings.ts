import { ConfigurationTarget, workspace, type ConfigurationScope } from 'vscode';
import { section } from './names';
import { carriedOver, RETIRED, settingNames, type Settings } from '../settings';

/**
 * `thoughtline.*` as the user has it now; package.json holds the defaults. Values are passed on as written: the server
 * checks them and logs its remedy.
 */
export function readSettings(scope?: ConfigurationScope): Settings {
  const configuration = workspace.getConfiguration(section, scope);
  const names = [...settingNames, ...Object.keys(RETIRED)];
  const settings = carriedOver(Object.fromEntries(names.map((name) => [name, configuration.get(name)])));
  return settings as unknown as Settings;
}

/** What `thoughtline.modelPath` said, before it became one of the things that `thoughtline.model` can be, is carried over. */
export async function carryOverModelPath(): Promise<void> {
  const configuration = workspace.getConfiguration(section);
  const path = configuration.inspect('modelPath')?.globalValue;
  if (path === undefined) return;
  if (path !== '') await configuration.update('model', path, ConfigurationTarget.Global);
  await configuration.update('modelPath', undefined, ConfigurationTarget.Global);
}

/** Settings as they hold: in Restricted Mode no file is read that the user has not opened. */
export function trusted(settings: Settings, isTrusted: boolean): Settings {
  return isTrusted || settings.memory !== 'workspace' ? settings : { ...settings, memory: 'openFiles' };
}

/**
 * Writes a setting where it takes effect: in the folder or the workspace where that sets it, else for the user.
 * @param scope where it is read
 */
export async function writeSetting<K extends keyof Settings>(
  name: K,
  value: Settings[K],
  scope?: ConfigurationScope,
): Promise<void> {
  const configuration = workspace.getConfiguration(section, scope);
  const found = configuration.inspect(name);
  const target =
    found?.workspaceFolderValue !== undefined
      ? ConfigurationTarget.WorkspaceFolder
      : found?.workspaceValue !== undefined
        ? ConfigurationTarget.Workspace
        : ConfigurationTarget.Global;
  await configuration.update(name, value, target);
}
