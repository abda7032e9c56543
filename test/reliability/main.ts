// The long runs: node --import=tsx test/reliability/main.ts faults|soak|fuzz|large [number] [seed]
import { injectFaults, plan } from './faults';
import { fuzz } from './fuzz';
import { largeInputs } from './large';
import { properties } from './properties';
import { protocolServer } from './protocol';
import { heapOfService } from './service';
import { soak, soakTogether } from './soak';

const [command = '', ...words] = process.argv.slice(2);
const [amount, seed = 20261122] = words.map(Number);

const runs: Record<string, () => Promise<unknown>> = {
  faults: () => injectFaults(plan(amount ?? 200), seed),
  soak: async () => ({
    service: await heapOfService(2 * (amount ?? 10_000), seed),
    alone: await soak({ edits: amount ?? 10_000, files: 50, seed }),
    together: await soakTogether(4, { edits: Math.ceil((amount ?? 10_000) / 20), files: 10, seed }),
  }),
  large: () => largeInputs(),
  fuzz: async () => {
    const server = await protocolServer();
    try {
      return await fuzz([...properties, server.property, server.answered], amount ?? 100_000, seed);
    } finally {
      await server.stop();
    }
  },
};

const run = runs[command];
if (!run) throw new Error(`${command}: no such run; use one of ${Object.keys(runs).join(', ')}`);
// A run whose server vanished may leave nothing to wait for: then the process ends, and that is no success.
process.exitCode = 1;
void run().then(
  (report) => {
    process.exitCode = 0;
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
