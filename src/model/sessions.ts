import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import type { Bundle } from './bundle';
import { messageOf, UserError } from './errors';
import type { Provider } from './executionProviders';
import { weightsLocation, type GraphName } from './graphCheck';
import { Graphs, LateSession } from './graphs';
import type { Runtime } from './runtime';

export interface SessionOptions {
  readonly provider: Provider;
  readonly threads: number;
  /** Path prefix for ONNX Runtime's profile of each graph; none is written without. */
  readonly profile?: string;
}

/**
 * Opens the graphs of a bundle on one execution provider (nodes it does not know fall to the CPU's).
 * @throws UserError if the graphs do not load at all; another provider's error is thrown as it is
 */
export async function openGraphs(runtime: Runtime, bundle: Bundle, options: SessionOptions): Promise<Graphs> {
  const open = async (name: GraphName, path: string) => {
    const own = sessionOptions(options, name);
    // The WebAssembly build opens no file that a graph names; the native one does, and wants no data.
    if (runtime.fallback !== undefined) {
      own.externalData = [{ path: weightsLocation(bundle.manifest, name), data: bundle.weights }];
    }
    try {
      return await runtime.InferenceSession.create(path, own);
    } catch (error) {
      if (options.provider !== 'cpu') throw error;
      throw new UserError(`${bundle.directory}: the graphs do not load (${messageOf(error)}); install the model again`);
    }
  };
  const paths = bundle.graphs;
  const trunk = await open('trunk', paths.trunk);
  const top = await open('top', paths.top).catch(async (error: unknown) => {
    await trunk.release();
    throw error;
  });
  const path = paths.evidence;
  const evidence = path !== undefined && new LateSession(() => open('evidence', path));
  return new Graphs(runtime, { trunk, top, ...(evidence && { evidence }) }, bundle.manifest);
}

function sessionOptions(options: SessionOptions, graph: string): InferenceSession.SessionOptions {
  return {
    executionProviders: options.provider === 'cpu' ? ['cpu'] : [options.provider, 'cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    // Nodes that fall to the CPU are counted by us (see providers.ts); the runtime's own warnings are of no use to a user.
    logSeverityLevel: 3,
    // The arena keeps the memory of the largest run for good, and is no faster for it.
    enableCpuMemArena: false,
    // Threads that spin between runs would keep the cores of an idle editor busy.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: `${options.profile}-${graph}` }),
  };
}

/** Threads of a run unless told otherwise: one for each physical core, at most four. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(4, physicalCores()));
}

function physicalCores(): number {
  const logical = cpus().length;
  try {
    if (process.platform === 'linux') return countCores(readFileSync('/proc/cpuinfo', 'utf8')) || logical;
    if (process.platform === 'darwin') {
      return Number(execFileSync('sysctl', ['-n', 'hw.physicalcpu'], { encoding: 'utf8' })) || logical;
    }
  } catch {
    return logical;
  }
  // Windows tells only logical processors cheaply; two threads a core is the rule there.
  return process.platform === 'win32' && process.arch === 'x64' ? Math.ceil(logical / 2) : logical;
}

/** Distinct pairs of socket and core in Linux's /proc/cpuinfo; 0 where it does not tell. */
export function countCores(cpuinfo: string): number {
  const cores = new Set<string>();
  for (const block of cpuinfo.split('\n\n')) {
    const socket = /^physical id\s*:\s*(\d+)$/m.exec(block)?.[1];
    const core = /^core id\s*:\s*(\d+)$/m.exec(block)?.[1];
    if (socket !== undefined && core !== undefined) cores.add(`${socket}/${core}`);
  }
  return cores.size;
}
