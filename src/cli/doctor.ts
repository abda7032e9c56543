import { arch, cpus, platform, release, totalmem } from 'node:os';
import { MODEL_OPTIONS, MODEL_USAGE, parse } from './arguments';
import { UsageError, type Command } from './command';
import { openEngine } from './model';
import type { CandidateReport, Engine } from '../completion/engine';
import { filesOf } from '../model/manifest';

const USAGE = `thoughtline doctor [options]
  Checks the model's files and every device of this machine: whether its outputs are the CPU's, how much of the graphs
  it really executes, and how fast it is.

  --json            print everything as JSON
${MODEL_USAGE}`;

export const doctor: Command = {
  summary: 'check the model and the devices of this machine',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, { ...MODEL_OPTIONS, json: { type: 'boolean' } } as const);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of doctor`);
    const start = performance.now();
    const engine = await openEngine(values, { measureAll: true });
    const loadMilliseconds = performance.now() - start;
    console.log(
      values.json ? JSON.stringify(facts(engine, loadMilliseconds), null, 2) : text(engine, loadMilliseconds),
    );
    await engine.close();
    return 0;
  },
};

function facts(engine: Engine, loadMilliseconds: number) {
  const { name, version, format, architecture, window, files } = engine.bundle.manifest;
  return {
    machine: { platform: platform(), release: release(), arch: arch(), cpu: cpus()[0]?.model, cores: cpus().length },
    memoryBytes: totalmem(),
    node: process.versions.node,
    model: { directory: engine.bundle.directory, name, version, format, architecture, window },
    modelBytes: filesOf({ files }).reduce((sum, [, file]) => sum + file.bytes, 0),
    loadMilliseconds,
    chunkTokens: engine.chunkTokens,
    device: engine.device,
  };
}

function text(engine: Engine, loadMilliseconds: number): string {
  const { machine, memoryBytes, node, model, modelBytes, chunkTokens, device } = facts(engine, loadMilliseconds);
  const lines = [
    `machine   ${machine.platform} ${machine.release} ${machine.arch}, ${machine.cpu ?? 'unknown CPU'}, ${machine.cores} logical cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${node}`,
    `model     ${model.name} ${model.version} (format ${model.format}), ${(modelBytes / 1e6).toFixed(1)} MB, every SHA-256 as in the manifest: ${model.directory}`,
    `loaded    in ${loadMilliseconds.toFixed(0)} ms`,
    `device    ${device.device} (${device.reason}), ${device.threads} threads, gradients of ${chunkTokens} tokens`,
    `decoding  ${device.kernel ? 'by Thoughtline’s own kernel' : 'by the device as well'}`,
    '',
    '          outputs     nodes    probe',
    ...device.candidates.map(candidateLine),
  ];
  return lines.join('\n');
}

function candidateLine(candidate: CandidateReport): string {
  const { provider, matches, difference, coverage, milliseconds, chosen, reason } = candidate;
  const outputs = matches === undefined ? '–' : `${matches ? 'right' : 'wrong'} ${(difference ?? 0).toExponential(0)}`;
  const nodes = coverage === undefined ? '–' : `${(coverage * 100).toFixed(0)} %`;
  const probe = milliseconds === undefined ? '–' : `${milliseconds.toFixed(1)} ms`;
  return `${chosen ? '→' : ' '} ${provider.padEnd(8)}${outputs.padEnd(12)}${nodes.padStart(6)}${probe.padStart(11)}   ${reason}`;
}
