// Loaded into the process of every test file: once its tests are over it ends, whatever a failed test left open, a server
// for instance. (`--test-force-exit` of node ends it before what it has to report is written, and loses results.)
import { after } from 'node:test';

/** Milliseconds for results to be written, and for what closes by itself. */
const GRACE = 3000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  // A timer that is not waited for: it ends the process only if something else keeps it.
  after(() => void setTimeout(() => process.exit(), GRACE).unref());
}
