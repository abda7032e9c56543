import { messageOf } from '../model/errors';
import { UsageError, type Command } from './command';

/** A program of several commands. */
export interface Program {
  /** What stands before every line that it writes about an error. */
  readonly name: string;
  /** What it is, in one line. */
  readonly title: string;
  /** How a command is started: what stands before its name. */
  readonly start: string;
  readonly commands: Readonly<Record<string, Command>>;
}

/** Runs the command that the process was started with; the process ends with 0 = done, 1 = failed, 2 = not understood. */
export function runProgram(program: Program): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read the output has had enough of it.
    if (error.code === 'EPIPE') process.exit(0);
  });
  run(program, process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(`${program.name}: ${messageOf(error)}`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    },
  );
}

/** @returns the exit code */
async function run(program: Program, [name, ...args]: readonly string[]): Promise<number> {
  const { commands } = program;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(usage(program));
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(`${name}: no such command; use one of ${Object.keys(commands).join(', ')}`);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage);
    return 0;
  }
  return command.run(args);
}

function usage({ title, start, commands }: Program): string {
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(12)} ${command.summary}`);
  return `${title}\n\n${lines.join('\n')}\n\n${start} COMMAND --help tells the rest.`;
}
