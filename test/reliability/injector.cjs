// An inference process that falls ill when told: the real one, whose program is THOUGHTLINE_INFERENCE, in a process that
// does what the file `fault` beside this one says whenever it gets SIGUSR2.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const faults = {
  /** A native library that calls abort(3). */
  abort: () => process.abort(),
  /** A run that never ends: the event loop is blocked, as it is while ONNX Runtime computes. */
  spin: () => {
    for (;;);
  },
  /** Nothing answers any more, and yet nothing hangs: no handler is left, a timer keeps the process alive. */
  deaf: () => {
    process.removeAllListeners('message');
    setInterval(() => undefined, 1000);
  },
  /** 200,000 lines, and one of 4 MB without an end. */
  flood: () => {
    for (let i = 0; i < 200; i++) process.stdout.write('a library says something that nobody needs\n'.repeat(500));
    for (let i = 0; i < 200; i++) process.stderr.write('and says it on standard error, too\n'.repeat(500));
    process.stderr.write('x'.repeat(4 << 20));
  },
  garbage: () => {
    process.send({ type: 'completed', id: 'one', result: { text: 7 } });
  },
  /** Memory is asked for until the system, or V8, gives no more; the caller has set a limit for the process. */
  exhaust: () => {
    const held = [];
    for (;;) held.push(new Array(1 << 16).fill(held.length));
  },
};

process.on('SIGUSR2', () => faults[readFileSync(join(__dirname, 'fault'), 'utf8').trim()]());
require(process.env.THOUGHTLINE_INFERENCE);
