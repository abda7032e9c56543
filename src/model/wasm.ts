import type { InferenceSession as Session } from 'onnxruntime-node';
import type { Runtime } from './runtime';

/**
 * ONNX Runtime's WebAssembly build in the native one's place. It computes the same, slower, on the CPU alone, and does
 * not find the files of a graph's external data: `externalData` must name them.
 * @param fallback why it is needed
 * @throws Error where it is not installed
 */
export async function loadWasm(fallback: string): Promise<Runtime> {
  const { env, InferenceSession, Tensor } = await import('onnxruntime-web');
  env.logLevel = 'fatal';
  const create: Runtime['InferenceSession']['create'] = async (path, { intraOpNumThreads = 1, ...options }) => {
    // One pool of worker threads serves all sessions: the first one makes it.
    env.wasm.numThreads = intraOpNumThreads;
    const session = await InferenceSession.create(path, { ...options, executionProviders: ['wasm'] });
    const run = session.run.bind(session);
    // Outputs lie in memory of its own: tensors that are to be written into would stay what they were.
    session.run = (feeds: Session.FeedsType, outputs?: object) =>
      run(feeds, outputs ? Object.keys(outputs) : session.outputNames);
    return session;
  };
  return { fallback, Tensor, InferenceSession: { create }, listSupportedBackends: () => [] };
}
