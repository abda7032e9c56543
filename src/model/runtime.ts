import type * as onnxruntime from 'onnxruntime-node';
import { messageOf, UserError } from './errors';
import { whyNotLoaded } from './platform';

/** ONNX Runtime's native binding. */
export type Runtime = typeof onnxruntime;

/**
 * ONNX Runtime's libraries for Linux and macOS write a device identifier to the user's folders and send usage to their
 * maker unless one of these is set when they are loaded: the first name is read by release 1.30, the second by later ones.
 */
export const TELEMETRY_SWITCHES = ['ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED'] as const;

/**
 * Loads ONNX Runtime when it is first needed, so that a machine without its library can still say so.
 * @throws UserError in one line: why there is none here, and what to do
 */
export async function loadRuntime(): Promise<Runtime> {
  for (const name of TELEMETRY_SWITCHES) process.env[name] = '1';
  try {
    const runtime = await import('onnxruntime-node');
    // Its own messages go to standard error past everyone; what fails is thrown as well.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (error) {
    throw new UserError(whyNotLoaded(`${process.platform}-${process.arch}`, messageOf(error)));
  }
}
