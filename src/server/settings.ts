import { isRecord } from '../json';
import { carriedOver, defaultSettings, SETTINGS, settingsOf, type SettingName, type Settings } from '../settings';

/**
 * Settings as a client sent them, made whole: what is missing gets its default silently, what is not acceptable gets
 * its default and one line in `problems` that names the setting, the value and the remedy. What is no setting
 * is passed over: a file may still name one that was removed.
 */
export function readSettings(given: unknown): { settings: Settings; problems: string[] } {
  const problems: string[] = [];
  const source = isRecord(given) ? carriedOver(given) : {};
  if (given !== undefined && given !== null && !isRecord(given)) {
    problems.push(`settings: ${show(given)} is not an object; using the defaults`);
  }
  const read = (name: SettingName): unknown => {
    const { accepts, remedy } = SETTINGS[name];
    const value = source[name] ?? undefined;
    if (value === undefined) return defaultSettings[name];
    if (accepts(value)) return value;
    const instead = show(defaultSettings[name]);
    problems.push(`thoughtline.${name}: ${show(value)} is not accepted: ${remedy} (using the default, ${instead})`);
    return defaultSettings[name];
  };
  const settings = settingsOf(read);
  settings.languages = { ...defaultSettings.languages, ...settings.languages };
  settings.exclude = { ...defaultSettings.exclude, ...settings.exclude };
  return { settings, problems };
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
