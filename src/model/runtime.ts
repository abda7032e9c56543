import type * as onnxruntime from 'onnxruntime-node';
import { messageOf, UserError } from './errors';

/** ONNX Runtime's native binding. */
export type Runtime = typeof onnxruntime;

/** Loads ONNX Runtime when it is first needed, so that a machine without its library can still say so. */
export async function loadRuntime(): Promise<Runtime> {
  try {
    const runtime = await import('onnxruntime-node');
    // Its own messages go to standard error past everyone; what fails is thrown as well.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (error) {
    throw new UserError(
      `ONNX Runtime's library does not load on ${process.platform}-${process.arch} (${messageOf(error)}); install the build of Thoughtline for this platform`,
    );
  }
}
