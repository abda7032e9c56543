#!/usr/bin/env node
// A pip for tests: brings the wheel that is asked for from the folder FAKE_WHEELS, and notes how it was called.
import { appendFileSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(2);
const after = (name) => words[words.indexOf(name) + 1];
if (words[0] === '--version') {
  console.log('pip 0 of a test');
} else {
  const [, name, version] = /^(\S+)==(\S+) --hash=sha256:/.exec(readFileSync(after('--requirement'), 'utf8'));
  appendFileSync(
    join(process.env.FAKE_WHEELS, 'calls'),
    `${words.filter((word) => word.startsWith('--')).join(' ')} ${name}\n`,
  );
  const file = `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`;
  const wheel = join(process.env.FAKE_WHEELS, file);
  if (existsSync(join(process.env.FAKE_WHEELS, 'slow'))) await new Promise((done) => setTimeout(done, 60_000));
  if (!existsSync(wheel)) {
    console.error(`Collecting ${name}\nERROR: No matching distribution found for ${name}==${version}`);
    process.exit(1);
  }
  copyFileSync(wheel, join(after('--dest'), file));
}
