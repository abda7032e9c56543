import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where a machine's current comes from; what cannot be read counts as mains. */
export type Power = 'mains' | 'battery' | 'unknown';

const SUPPLIES = '/sys/class/power_supply';

/** A program of the system that does not answer within this many milliseconds does not tell. */
const PATIENCE_MS = 5_000;

const readers: Readonly<Partial<Record<NodeJS.Platform, () => Promise<Power>>>> = {
  linux: async () => powerOfSupplies(await supplies()),
  darwin: async () => powerOfPmset(await run('/usr/bin/pmset', ['-g', 'batt'])),
  win32: async () => {
    const system = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32');
    const question = '(Get-CimInstance -ClassName Win32_Battery).BatteryStatus';
    const words = ['-NoProfile', '-NonInteractive', '-Command', question];
    return powerOfWmi(await run(join(system, 'WindowsPowerShell', 'v1.0', 'powershell.exe'), words));
  },
};

/**
 * Reads where this machine's current comes from, without native modules: on Linux from sysfs, on macOS from `pmset`, on
 * Windows from WMI. Never rejects.
 */
export async function readPower(platform: NodeJS.Platform = process.platform): Promise<Power> {
  return (await readers[platform]?.().catch(() => undefined)) ?? 'unknown';
}

/** Attributes of one entry of `/sys/class/power_supply`, by the names of their files. */
export type Supply = Readonly<Partial<Record<'type' | 'scope' | 'online' | 'status', string>>>;

/** A battery discharges, and no mains adapter is online. Batteries of mice and the like have the scope "Device". */
export function powerOfSupplies(supplies: readonly Supply[]): Power {
  const system = supplies.filter(({ scope }) => scope !== 'Device');
  if (system.some(({ type, online }) => type !== 'Battery' && online === '1')) return 'mains';
  const batteries = system.filter(({ type }) => type === 'Battery');
  if (batteries.length === 0) return 'unknown';
  return batteries.some(({ status }) => status === 'Discharging') ? 'battery' : 'mains';
}

/** What `pmset -g batt` says in its first line. */
export function powerOfPmset(output: string): Power {
  const source = /Now drawing from '([^']*)'/.exec(output)?.[1];
  if (source === undefined) return 'unknown';
  return source === 'Battery Power' ? 'battery' : 'mains';
}

/** `BatteryStatus` of WMI's `Win32_Battery`, a line for each battery: 1, 4 and 5 are those of one that discharges. */
export function powerOfWmi(output: string): Power {
  const states = output.split(/\s+/).filter((word) => word !== '');
  if (states.length === 0) return 'unknown';
  return states.every((state) => ['1', '4', '5'].includes(state)) ? 'battery' : 'mains';
}

async function supplies(): Promise<Supply[]> {
  const names = await readdir(SUPPLIES);
  return Promise.all(
    names.map(async (name) => {
      const attribute = (file: string) =>
        readFile(join(SUPPLIES, name, file), 'utf8').then(
          (text) => text.trim(),
          () => undefined,
        );
      const [type, scope, online, status] = await Promise.all(['type', 'scope', 'online', 'status'].map(attribute));
      return { ...(type && { type }), ...(scope && { scope }), ...(online && { online }), ...(status && { status }) };
    }),
  );
}

async function run(program: string, words: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, words, { timeout: PATIENCE_MS, windowsHide: true })).stdout;
}

/** How often the power is read anew, in milliseconds: the programs of macOS and Windows cost some time of the processor. */
const PACE_MS = 60_000;

/** Keeps an eye on the power while somebody wants to know. */
export class PowerWatch {
  readonly #changed: (power: Power) => void;
  readonly #read: () => Promise<Power>;
  #timer: NodeJS.Timeout | undefined;
  #power: Power = 'unknown';

  constructor(changed: (power: Power) => void, read: () => Promise<Power> = readPower) {
    this.#changed = changed;
    this.#read = read;
  }

  get power(): Power {
    return this.#power;
  }

  /** @param wanted whether anything depends on the power; while nothing does, nothing is read */
  watch(wanted: boolean): void {
    if (wanted === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = wanted ? setInterval(() => void this.#look(), PACE_MS).unref() : undefined;
    if (wanted) void this.#look();
    else this.#power = 'unknown';
  }

  async #look(): Promise<void> {
    const power = await this.#read();
    if (this.#timer === undefined || power === this.#power) return;
    this.#power = power;
    this.#changed(power);
  }
}
