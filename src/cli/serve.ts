import { readFileSync } from 'node:fs';
import { DEFAULTS } from '../completion/engine';
import { messageOf, UserError } from '../model/errors';
import { MODEL_OPTIONS, MODEL_USAGE, parse, stepsOption, wholeNumber } from './arguments';
import { UsageError, type Command } from './command';
import { openEngine } from './model';

const SERVER_DEFAULTS = { host: '127.0.0.1', port: 8790, queue: 64, seconds: 30, users: 16 };

const USAGE = `thoughtline serve [options]
  Serves suggestions by the completions API (POST /v1/completions with "prompt" and "suffix", GET /v1/models, GET /health)
  until it is interrupted. docs/serve.md has the rest.

  --host ADDRESS    address to listen on (default: ${SERVER_DEFAULTS.host}, this machine alone; any other needs a token)
  --port N          port, 0 for any that is free (default: ${SERVER_DEFAULTS.port})
  --token-file FILE file with the token that clients have to send; or the environment variable THOUGHTLINE_TOKEN
  --queue N         requests that may wait (default: ${SERVER_DEFAULTS.queue})
  --seconds N       time for one request, waiting included (default: ${SERVER_DEFAULTS.seconds})
  --users N         users' files whose thoughts and caches are kept (default: ${SERVER_DEFAULTS.users})
  --steps N         refinement steps of a thought, 0 to ${DEFAULTS.maxSteps} (default: as many as pay with the model)
${MODEL_USAGE}`;

export const OPTIONS = {
  ...MODEL_OPTIONS,
  host: { type: 'string' },
  port: { type: 'string' },
  'token-file': { type: 'string' },
  queue: { type: 'string' },
  seconds: { type: 'string' },
  users: { type: 'string' },
  steps: { type: 'string' },
} as const;

const MIN_TOKEN = 16;

/** The options of a command line, read and checked. */
export function readServeOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
  const { values, positionals } = parse(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of serve`);
  const number = (name: 'port' | 'queue' | 'seconds' | 'users', min: number, max: number) =>
    wholeNumber(`--${name}`, values[name] ?? String(SERVER_DEFAULTS[name]), min, max);
  return {
    values,
    host: values.host ?? SERVER_DEFAULTS.host,
    port: number('port', 0, 65_535),
    queue: number('queue', 0, 10_000),
    limitMs: 1000 * number('seconds', 1, 3600),
    users: number('users', 1, 10_000),
    steps: stepsOption(values.steps),
    token: readToken(values['token-file'], environment['THOUGHTLINE_TOKEN']),
  };
}

/** The token of a file, or of the environment: arguments can be seen by every user of a machine. */
function readToken(file: string | undefined, variable: string | undefined): string | undefined {
  let token = variable;
  try {
    if (file !== undefined) token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UserError(`--token-file ${file}: ${messageOf(error)}`);
  }
  if (token === undefined || (file === undefined && token === '')) return undefined;
  if (token.length < MIN_TOKEN || /\s/.test(token)) {
    const where = file === undefined ? 'THOUGHTLINE_TOKEN' : `--token-file ${file}`;
    throw new UserError(`${where}: a token has at least ${MIN_TOKEN} characters and no blanks`);
  }
  return token;
}

export const serve: Command = {
  summary: 'serve suggestions to editors and other machines by the completions API',
  usage: USAGE,
  async run(args) {
    const { values, ...options } = readServeOptions(args);
    const engine = await openEngine(values, { windows: options.users });
    // Loaded when it is asked for: it knows the network.
    const { serve: begin } = await import('./serving.js');
    const serving = await begin(engine, { ...options, log: (line) => console.error(line) });
    const { name, version } = engine.bundle.manifest;
    console.log(`${name} ${version} on ${engine.device.device}: ${serving.address}/v1/completions`);
    await interrupted();
    await serving.close();
    await engine.close();
    return 0;
  },
};

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
