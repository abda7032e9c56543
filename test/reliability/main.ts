// The long runs: node --import=tsx test/reliability/main.ts faults|soak|fuzz|large [number] [seed]
import { injectFaults, plan } from './faults';

const [command = '', ...words] = process.argv.slice(2);
const [amount, seed = 20261122] = words.map(Number);

const runs: Record<string, () => Promise<unknown>> = {
  faults: () => injectFaults(plan(amount ?? 200), seed),
};

const run = runs[command];
if (!run) throw new Error(`${command}: no such run; use one of ${Object.keys(runs).join(', ')}`);
void run().then(
  (report) => process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
