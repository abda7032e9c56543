import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percent } from '../numbers';
import type { Bundle } from './bundle';
import { messageOf, NumericalError, UserError } from './errors';
import { PROVIDER_NAMES, providerOf, type DEVICES, type Provider } from './executionProviders';
import type { Graphs } from './graphs';
import { Kernel } from './kernel/kernel';
import { agreement, check, probe, probeOnce, type Probe } from './probe';
import { missingRequirement } from './requirements';
import type { Runtime } from './runtime';
import { defaultThreads, openGraphs } from './sessions';

export type DeviceSetting = (typeof DEVICES)[number];

/** What was found out about one execution provider. */
export interface CandidateReport {
  readonly provider: Device;
  readonly opened: boolean;
  /** Its outputs are the CPU's on a probe input. */
  readonly matches?: boolean;
  /** Largest deviation of an output from the CPU's, relative to that output's size. */
  readonly difference?: number;
  /** Share of the graphs' nodes that it executed itself, 0 to 1. */
  readonly coverage?: number;
  /** The probe: a short prefill, one token, one gradient. */
  readonly milliseconds?: number;
  /** Tokens of one run at most, since its outputs are right only in runs as short as that. */
  readonly runTokens?: number | undefined;
  readonly chosen: boolean;
  readonly reason: string;
}

/** What the graphs run on. "wasm" is the CPU, through ONNX Runtime's WebAssembly build. */
export type Device = Provider | 'wasm';

export interface DeviceReport {
  readonly device: Device;
  /** Why this one. */
  readonly reason: string;
  readonly threads: number;
  /** Whether runs of a few tokens are the kernel's (src/model/kernel) in place of ONNX Runtime's. */
  readonly kernel: boolean;
  readonly candidates: readonly CandidateReport[];
}

export interface DeviceOptions {
  readonly device: DeviceSetting;
  readonly threads?: number | undefined;
  /** Measure the CPU even where nothing else could be opened. */
  readonly measureAll?: boolean | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

/** A device that has been chosen. */
export interface OpenedDevice {
  readonly graphs: Graphs;
  readonly report: DeviceReport;
  /** Says what is wrong if the device no longer computes what the CPU did; there is none for the CPU itself. */
  readonly verify?: () => Promise<string | undefined>;
}

/** What an execution provider must reach to be chosen. */
const MAX_DIFFERENCE = 0.01;

/**
 * Tokens of a run where longer ones are computed wrongly. ONNX Runtime's WebGPU provider attends to 32 tokens and more at once by
 * a kernel of its own (1.30), which was found wrong where a subgroup has 4, 8 or 16 lanes (software GPUs); for fewer it has another.
 */
const SHORT_RUN = 16;
const MIN_COVERAGE = 0.9;

/**
 * Opens the bundle on the best execution provider. `auto` tries those of the platform one by one and takes the fastest
 * whose outputs are the CPU's and which really executes the graphs, if it is faster than the CPU; a named one is taken
 * if it opens and its outputs are right. The CPU is always there to fall back to; ONNX Runtime's WebAssembly build knows
 * nothing else.
 * @throws UserError if not even the CPU computes numbers
 */
export async function openDevice(runtime: Runtime, bundle: Bundle, options: DeviceOptions): Promise<OpenedDevice> {
  const threads = options.threads ?? defaultThreads();
  const plain = await openGraphs(runtime, bundle, { provider: 'cpu', threads });
  const cpu = await asBundleError(bundle, async () =>
    withKernel(plain, bundle, await check(plain, bundle), options.log),
  );
  const base = runtime.fallback === undefined ? 'cpu' : 'wasm';
  const names = base === 'wasm' ? [] : candidates(options.device, process.platform);
  const wanted = names.map((provider) => ({ provider, missing: missingRequirement(runtime, provider) }));
  // What cannot be opened is no reason to measure the CPU, which takes a large decoder seconds.
  const measured = options.measureAll === true || wanted.some(({ missing }) => missing === undefined);
  const reference = measured ? await asBundleError(bundle, () => probe(cpu, bundle)) : undefined;

  const tried: Tried[] = [];
  for (const { provider, missing } of wanted) {
    const result =
      missing === undefined
        ? await tryProvider(runtime, bundle, provider, threads, reference!, options.device === 'auto')
        : unavailable(provider, missing);
    const { report } = result;
    options.log?.(`device ${provider}: ${report.reason}`);
    tried.push(result);
  }
  const cpuMs = reference?.milliseconds;
  const forced = options.device !== 'auto';
  const best = tried
    .filter(({ report, graphs }) => graphs && report.matches === true)
    .filter(({ report }) => forced || isWorthwhile(report, cpuMs ?? 0))
    .sort((a, b) => (a.report.milliseconds ?? 0) - (b.report.milliseconds ?? 0))[0];
  for (const other of tried) if (other !== best) await other.graphs?.release();

  const cpuReport: CandidateReport = {
    provider: base,
    opened: true,
    ...(cpuMs !== undefined && { matches: true, difference: 0, coverage: 1, milliseconds: cpuMs }),
    chosen: !best,
    reason: 'always available',
  };
  const reports = [...tried.map(({ report }) => ({ ...report, chosen: report === best?.report })), cpuReport];
  if (best?.graphs) {
    await cpu.release();
    const { provider, milliseconds } = best.report;
    const reason = forced
      ? 'as set'
      : `fastest: ${milliseconds?.toFixed(1)} ms for the probe, the CPU ${cpuMs?.toFixed(1)} ms`;
    const chosen = best.graphs;
    return {
      graphs: chosen,
      report: { device: provider, reason, threads, kernel: false, candidates: reports },
      ...(reference && { verify: () => mismatch(chosen, bundle, reference) }),
    };
  }
  const reason = baseReason(options.device, reports, runtime.fallback);
  if (base === 'wasm') options.log?.(`computing in WebAssembly, which is slower: ${runtime.fallback}`);
  return { graphs: cpu, report: { device: base, reason, threads, kernel: cpu.hasKernel, candidates: reports } };
}

/** What the CPU computes for a bundle is the bundle's fault where it is no number. */
async function asBundleError<Result>({ directory }: Bundle, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    throw new UserError(`${directory}: ${error.message}: its weights are damaged; install the model again`);
  }
}

/** The kernel may differ so far from graphs that multiply in 8 bits themselves, and round more than it does (docs/experiments). */
const MAX_KERNEL_DIFFERENCE = 0.05;

/**
 * Graphs whose runs of a few tokens are the kernel's, where it knows their decoder and computes what they compute.
 * @param outputs of the graphs themselves for the check
 */
async function withKernel(
  graphs: Graphs,
  bundle: Bundle,
  outputs: Probe['outputs'],
  log?: (line: string) => void,
): Promise<Graphs> {
  const instead = 'ONNX Runtime computes every run';
  try {
    const kernel = await Kernel.open(bundle);
    if (!kernel) return graphs;
    const faster = graphs.with({ kernel });
    const difference = agreement(await check(faster, bundle), outputs);
    if (difference <= MAX_KERNEL_DIFFERENCE) return faster;
    log?.(`${instead}: the kernel's outputs differ by ${(difference * 100).toFixed(0)} %`);
  } catch (error) {
    if (error instanceof NumericalError) throw error;
    log?.(`${instead}: the kernel does not load (${messageOf(error)})`);
  }
  return graphs;
}

async function mismatch(graphs: Graphs, bundle: Bundle, reference: Probe): Promise<string | undefined> {
  try {
    const difference = agreement(await probeOnce(graphs, bundle), reference.outputs);
    if (difference <= MAX_DIFFERENCE) return undefined;
    return `its outputs differ from the CPU's by ${(difference * 100).toFixed(0)} % by now`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Providers to try on a platform. */
export function candidates(device: DeviceSetting, platform: NodeJS.Platform): Provider[] {
  if (device === 'cpu') return [];
  if (device !== 'auto') return [device];
  return PROVIDER_NAMES.filter((name) => providerOf(name).automatic.includes(platform)).reverse();
}

/** Whether `auto` may choose a provider over the CPU. */
export function isWorthwhile(report: CandidateReport, cpuMilliseconds: number): boolean {
  return (
    report.matches === true &&
    (report.coverage ?? 0) >= MIN_COVERAGE &&
    (report.milliseconds ?? Infinity) < cpuMilliseconds
  );
}

function baseReason(device: DeviceSetting, reports: readonly CandidateReport[], fallback: string | undefined): string {
  if (fallback !== undefined) return fallback;
  if (device === 'cpu') return 'as set';
  const named = reports.find(({ provider }) => provider === device);
  return named ? `${device} is not usable: ${named.reason}` : 'no other device is faster';
}

interface Tried {
  readonly report: CandidateReport;
  readonly graphs: Graphs | undefined;
}

function unavailable(provider: Provider, reason: string): Tried {
  return { graphs: undefined, report: { provider, opened: false, chosen: false, reason } };
}

async function tryProvider(
  runtime: Runtime,
  bundle: Bundle,
  provider: Provider,
  threads: number,
  reference: Probe,
  mustBeFast: boolean,
): Promise<Tried> {
  const scratch = await mkdtemp(join(tmpdir(), 'thoughtline-profile-'));
  let graphs: Graphs | undefined;
  try {
    graphs = await openGraphs(runtime, bundle, { provider, threads, profile: join(scratch, 'profile') });
    const limit = mustBeFast ? reference.milliseconds : undefined;
    let { outputs, milliseconds } = await probe(graphs, bundle, limit);
    let difference = agreement(outputs, reference.outputs);
    let runTokens: number | undefined;
    if (difference > MAX_DIFFERENCE) {
      const short = graphs.with({ maxRunTokens: SHORT_RUN });
      const again = await probe(short, bundle, limit);
      const left = agreement(again.outputs, reference.outputs);
      if (left <= MAX_DIFFERENCE) {
        [graphs, runTokens, difference] = [short, SHORT_RUN, left];
        ({ outputs, milliseconds } = again);
      }
    }
    graphs.endProfiling();
    const coverage = await profiledCoverage(scratch, provider);
    const matches = difference <= MAX_DIFFERENCE;
    const report = { provider, opened: true, matches, difference, coverage, milliseconds, runTokens, chosen: false };
    return { graphs, report: { ...report, reason: verdict(report, reference.milliseconds) } };
  } catch (error) {
    await graphs?.release();
    const reason = graphs ? messageOf(error) : `does not open (${messageOf(error)})`;
    return { graphs: undefined, report: { provider, opened: graphs !== undefined, chosen: false, reason } };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function verdict(report: Omit<CandidateReport, 'reason'>, cpuMilliseconds: number): string {
  if (report.matches !== true) return `its outputs differ from the CPU's by ${percent(report.difference ?? 0)}`;
  if ((report.coverage ?? 0) < MIN_COVERAGE) return `it executes only ${percent(report.coverage ?? 0)} of the nodes`;
  const short =
    report.runTokens === undefined ? '' : ` in runs of ${report.runTokens} tokens, as longer ones are wrong`;
  const times = `${report.milliseconds?.toFixed(1)} ms for the probe${short}, the CPU ${cpuMilliseconds.toFixed(1)} ms`;
  return (report.milliseconds ?? Infinity) < cpuMilliseconds ? `faster: ${times}` : `not faster: ${times}`;
}

async function profiledCoverage(directory: string, provider: Provider): Promise<number> {
  const shares = { own: 0, all: 0 };
  for (const name of await readdir(directory)) {
    const counts = countNodes(await readFile(join(directory, name), 'utf8'), provider);
    shares.own += counts.own;
    shares.all += counts.all;
  }
  return shares.all === 0 ? 0 : shares.own / shares.all;
}

/** Distinct nodes of a profile, and those among them that a provider executed. */
export function countNodes(profile: string, provider: Provider): { own: number; all: number } {
  const nodes = new Map<string, string>();
  const events = JSON.parse(profile) as { cat?: string; name?: string; args?: { provider?: string } }[];
  for (const event of events) {
    if (event.cat !== 'Node' || event.name === undefined || event.args?.provider === undefined) continue;
    nodes.set(event.name, event.args.provider);
  }
  let own = 0;
  for (const name of nodes.values()) if (name === providerOf(provider).profile) own++;
  return { own, all: nodes.size };
}
