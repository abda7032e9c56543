#!/usr/bin/env node
import { messageOf } from '../model/errors';
import { adopt } from './adopt';
import { bench } from './bench';
import { compare } from './compare';
import { UsageError, type Command } from './command';
import { complete } from './complete';
import { doctor } from './doctor';
import { evaluate } from './evaluate';
import { fitEnergy } from './fitEnergy';
import { fitMemory } from './fitMemory';
import { fitStates } from './fitStates';
import { score } from './score';
import { staleness } from './staleness';

const COMMANDS: Readonly<Record<string, Command>> = {
  complete,
  adopt,
  score,
  evaluate,
  bench,
  compare,
  staleness,
  doctor,
  'fit-memory': fitMemory,
  'fit-states': fitStates,
  'fit-energy': fitEnergy,
};

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, command]) => `  ${name.padEnd(15)} ${command.summary}`);
  return `thoughtline: code completion that thinks about your file first

${lines.join('\n')}

thoughtline COMMAND --help tells the rest.`;
}

/** @returns the exit code: 0 = done, 1 = failed, 2 = not understood */
async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(usage());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(`${name}: no such command; use one of ${Object.keys(COMMANDS).join(', ')}`);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage);
    return 0;
  }
  return command.run(args);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read the output has had enough of it.
  if (error.code === 'EPIPE') process.exit(0);
});

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(`thoughtline: ${messageOf(error)}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
