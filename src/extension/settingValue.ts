import { formerNames } from '../settings';

/** Where a setting has a value: what `inspect` of VS Code's configuration says. */
export interface Inspected {
  readonly defaultValue?: unknown;
  readonly defaultLanguageValue?: unknown;
}

/** Of VS Code's configuration of a section: what a setting is, and where it has been set. */
export interface Configuration {
  get(name: string): unknown;
  inspect(name: string): Inspected | undefined;
}

/** A setting's value: by its present name where that is set anywhere, else by a former one that is, else its default. */
export function settingValue(
  configuration: Configuration,
  name: string,
  former: Readonly<Record<string, readonly string[]>> = formerNames,
): unknown {
  const names = [name, ...(former[name] ?? [])];
  return configuration.get(names.find((one) => isSet(configuration.inspect(one))) ?? name);
}

function isSet(inspected: Inspected | undefined): boolean {
  return Object.entries(inspected ?? {}).some(
    ([where, value]) => where.endsWith('Value') && !where.startsWith('default') && value !== undefined,
  );
}
