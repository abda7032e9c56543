// Preloaded into a process (`node --import`): a notebook that runs on its battery, as Linux tells it.
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const folder = '/sys/class/power_supply';
const files = { 'AC/type': 'Mains', 'AC/online': '0', 'BAT0/type': 'Battery', 'BAT0/status': 'Discharging' };
const { readdir, readFile } = promises;

promises.readdir = (path, ...rest) => (path === folder ? Promise.resolve(['AC', 'BAT0']) : readdir(path, ...rest));
promises.readFile = (path, ...rest) => {
  if (typeof path !== 'string' || !path.startsWith(`${folder}/`)) return readFile(path, ...rest);
  const content = files[path.slice(folder.length + 1)];
  return content === undefined ? Promise.reject(new Error('no such file')) : Promise.resolve(`${content}\n`);
};
syncBuiltinESMExports();
