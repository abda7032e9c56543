import type * as onnxruntime from 'onnxruntime-node';
import { messageOf, UserError } from './errors';
import { ownPlatform, remedyFor, whyNotLoaded } from './platform';
import { loadWasm } from './wasm';

/** What is used of ONNX Runtime: of its native build, or of its WebAssembly build. */
export interface Runtime {
  readonly Tensor: typeof onnxruntime.Tensor;
  readonly InferenceSession: {
    create(path: string, options: onnxruntime.InferenceSession.SessionOptions): Promise<onnxruntime.InferenceSession>;
  };
  readonly listSupportedBackends: typeof onnxruntime.listSupportedBackends;
  /** Why it is the WebAssembly build, in one line; undefined for the native one. */
  readonly fallback?: string;
}

/**
 * ONNX Runtime's libraries for Linux and macOS write a device identifier to the user's folders and send usage to their
 * maker unless one of these is set when they are loaded: the first name is read by release 1.30, the second by later ones.
 */
export const TELEMETRY_SWITCHES = ['ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED'] as const;

/**
 * Loads ONNX Runtime when it is first needed: the native library, or the WebAssembly build where there is none.
 * @throws UserError in one line: why there is neither here, and what to do
 */
export async function loadRuntime(): Promise<Runtime> {
  for (const name of TELEMETRY_SWITCHES) process.env[name] = '1';
  try {
    const runtime = await import('onnxruntime-node');
    // Its own messages go to standard error past everyone; what fails is thrown as well.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (error) {
    const platform = ownPlatform();
    const reason = whyNotLoaded(platform, messageOf(error));
    return loadWasm(reason).catch(() => {
      throw new UserError(`${reason}; ${remedyFor(platform)}`);
    });
  }
}
