import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where Linux tells of its power supplies. */
const SUPPLIES = '/sys/class/power_supply';

/**
 * Whether the machine runs on mains power. Where the power source is unknown, as on other systems than Linux, mains
 * power is assumed: Node.js does not tell, and starting a program to ask costs power itself.
 */
export async function onMains(folder = SUPPLIES): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  const supplies = await Promise.all(
    names.map(async (name) => {
      const read = (file: string) => readFile(join(folder, name, file), 'utf8').catch(() => '');
      return { type: (await read('type')).trim(), online: (await read('online')).trim() };
    }),
  );
  const mains = supplies.filter(({ type }) => type === 'Mains' || type === 'USB');
  return mains.length === 0 || mains.some(({ online }) => online === '1');
}
