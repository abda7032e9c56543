/** No network at run time: server, inference process and command line where every way out throws and is noted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { TELEMETRY_SWITCHES } from '../../src/model/runtime';
import { bundle, dist, LspClient, root, tiny } from './client';
import { pretending } from './machines';
import { surroundings } from './surroundings';

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-offline-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const file = 'test/fixtures/frozen/src/thought/refine.ts';
const text = readFileSync(join(root, file), 'utf8');

/** An environment in which processes, and those that they start, are denied the network; and what they tried. */
function denied(
  name: string,
  machine: Parameters<typeof pretending>[0] = [],
): { environment: NodeJS.ProcessEnv; notes: () => string[] } {
  const path = join(scratch, `${name}.denials`);
  const hook = pathToFileURL(join(__dirname, 'deniedNetwork.mjs')).href;
  return {
    environment: { THOUGHTLINE_DENIALS: path, ...pretending(machine, [hook]) },
    notes: () => readFileSync(path, 'utf8').trim().split('\n'),
  };
}

/** How long ONNX Runtime left to itself takes until it tries to connect, at least: what does not try is watched for longer. */
let telemetryMs = 15_000;

/** Words that start a process in a network namespace of its own, which has no way out; none where the kernel forbids it. */
const isolated = ['unshare', '--map-root-user', '--net'];
const canIsolate = spawnSync(isolated[0]!, [...isolated.slice(1), 'true']).status === 0;
const needsNamespace = { skip: canIsolate ? false : 'network namespaces cannot be made here' };

/** What the kernel counted in a network namespace: packets sent, and connections and packets that found no way. */
function attempts(snmp: string, snmp6: string): Record<string, number> {
  const counted: Record<string, number> = {};
  const lines = snmp.trim().split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [protocol, ...names] = lines[i]!.split(/\s+/);
    const values = lines[i + 1]!.split(/\s+/).slice(1);
    names.forEach((name, at) => (counted[`${protocol}${name}`] = Number(values[at])));
  }
  for (const line of snmp6.trim().split('\n')) {
    const [name, value] = line.split(/\s+/);
    counted[name!] = Number(value);
  }
  const wanted = /^(Ip:Out(Requests|NoRoutes)|Tcp:ActiveOpens|Udp:OutDatagrams|Ip6Out(Requests|NoRoutes))$/;
  return Object.fromEntries(Object.entries(counted).filter(([name, value]) => wanted.test(name) && value > 0));
}

const attemptsOf = (pid: number) =>
  attempts(readFileSync(`/proc/${pid}/net/snmp`, 'utf8'), readFileSync(`/proc/${pid}/net/snmp6`, 'utf8'));

/** Runs node in a network namespace of its own. */
function runIsolated(name: string, words: readonly string[]) {
  const { environment, written } = surroundings(join(scratch, name));
  const script = '"$@" >&2; code=$?; cat /proc/self/net/snmp; echo ----; cat /proc/self/net/snmp6; exit $code';
  const [command, ...before] = [...isolated, 'sh', '-c', script, 'sh', process.execPath];
  const { status, stdout, stderr } = spawnSync(command, [...before, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    cwd: root,
  });
  const [snmp, snmp6] = stdout.split('----\n');
  return { status, output: stderr, attempts: attempts(snmp ?? '', snmp6 ?? ''), written: written() };
}

/** A session with completion and refinement: what every user's server does. */
async function work(client: LspClient): Promise<void> {
  const uri = 'file:///w/src/refine.ts';
  await client.open(uri, text);
  const report = await client.thought(uri, ({ steps }) => steps > 0);
  assert.ok(report.trace.chunks.length > 0, 'it has thought about the file');
  const lines = text.split('\n');
  let suggested = 0;
  for (let line = 20; line < lines.length && suggested < 3; line += 3) {
    const items = await client.complete(uri, { line, character: lines[line]!.length }, { invoked: true });
    suggested += items.length;
  }
  assert.ok(suggested > 0, 'it has suggested something');
  await client.statistics();
}

const complete = [join(dist, 'cli.js'), 'complete', `${file}:60:1`, '--steps', '2', '--json', '--device', 'cpu'];

describe('the network', () => {
  test('every way out throws and is noted: the trap works', () => {
    const { environment, notes } = denied('trap');
    const program = `
      const tries = [
        () => require('net').connect(9, '127.0.0.1'), () => require('net').createServer().listen(0),
        () => require('dgram').createSocket('udp4').send('x', 9, '127.0.0.1'), () => require('dns').lookup('a.invalid', () => {}),
        () => require('http').get('http://127.0.0.1:9'), () => require('https').get('https://127.0.0.1:9'),
        () => require('tls').connect(9, '127.0.0.1'), () => require('http2').connect('http://127.0.0.1:9'),
        () => fetch('http://127.0.0.1:9'),
      ];
      let thrown = 0;
      for (const one of tries) try { one() } catch { thrown++ }
      process.exit(thrown === tries.length ? 0 : 1);`;
    const { status } = spawnSync(process.execPath, ['-e', program], { env: { ...process.env, ...environment } });
    assert.equal(status, 0);
    assert.equal(notes().filter((line) => line.includes(' denied ')).length, 9);
  });

  test('the kernel counts what finds no way out: the namespace works', needsNamespace, () => {
    const program = `require('net').connect(9, '192.0.2.1').on('error', () => process.exit(0))`;
    assert.deepEqual(runIsolated('way-out', ['-e', program]).attempts, { 'Ip:OutNoRoutes': 1 });
    assert.deepEqual(runIsolated('none', ['-e', '0']).attempts, {});
  });

  test('ONNX Runtime left to itself reports to its maker: there is something to switch off', needsNamespace, () => {
    // It ends when the kernel has counted something, or after two minutes.
    const program = `
      const { readFileSync } = require('fs');
      require('onnxruntime-node').InferenceSession.create('models/tiny/trunk.onnx');
      const noWay = () => {
        const [names, values] = readFileSync('/proc/self/net/snmp', 'utf8').split('\\n').map((line) => line.split(' '));
        return values[names.indexOf('OutNoRoutes')] !== '0';
      };
      setInterval(() => (noWay() || performance.now() > 120_000) && process.exit(0), 100);`;
    const began = performance.now();
    const { attempts: counted, written } = runIsolated('telemetry', ['-e', program]);
    telemetryMs = Math.max(telemetryMs, 1.5 * (performance.now() - began));
    assert.ok(
      written.some((path) => path.endsWith('deviceid')),
      `it wrote ${written.join(', ')}`,
    );
    assert.ok((counted['Ip:OutNoRoutes'] ?? 0) > 0, 'it tried to connect');
  });

  test('every library that reports knows a switch that is thrown', () => {
    const folder = join(root, 'node_modules/onnxruntime-node/bin');
    const libraries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /libonnxruntime[\w.]*\.(so|dylib)[\d.]*$|onnxruntime\.dll$/.test(name),
    );
    assert.ok(libraries.length >= 5, libraries.join(', '));
    for (const name of libraries) {
      const bytes = readFileSync(join(folder, name));
      const known = TELEMETRY_SWITCHES.some((variable) => bytes.includes(variable));
      assert.ok(known || !bytes.includes('events.data.microsoft.com'), name);
    }
  });

  test('server and inference process complete and refine without it', async () => {
    const { environment, notes } = denied('server');
    const client = await LspClient.start({ environment, settings: { inferenceSteps: 2 } });
    await work(client);
    assert.equal(await client.stop(), 0);
    const watched = notes().map((line) => line.split(' ').slice(1).join(' '));
    assert.deepEqual(watched, [`watched ${join(dist, 'server.js')}`, `watched ${join(dist, 'inference.js')}`]);
  });

  test('the same in a namespace without a network, native code included', needsNamespace, async () => {
    const { environment, cwd, written } = surroundings(join(scratch, 'isolated'));
    const client = await LspClient.start({ launcher: isolated, environment, cwd, settings: { inferenceSteps: 2 } });
    await client.ready();
    const enough = sleep(telemetryMs);
    await work(client);
    await enough;
    assert.deepEqual(written(), []);
    assert.deepEqual(attemptsOf(client.server.pid!), {});
    assert.equal(await client.stop(), 0);
  });

  test('nor does WebAssembly need it, where there is no native library', async () => {
    const { environment, notes } = denied('wasm', ['alpine']);
    const client = await LspClient.start({ bundle: tiny, environment, settings: { inferenceSteps: 2 }, threads: 2 });
    await work(client);
    assert.equal(client.status!.device, 'wasm');
    assert.equal(await client.stop(), 0);
    const watched = notes().map((line) => line.split(' ').slice(1).join(' '));
    // Its worker thread is watched like the processes.
    const worker = join(root, 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs');
    const programs = [join(dist, 'server.js'), join(dist, 'inference.js'), worker];
    assert.deepEqual(
      watched,
      programs.map((program) => `watched ${program}`),
    );
  });

  test('the same in a namespace without a network: nothing is tried, and nothing written', needsNamespace, async () => {
    const { environment, cwd, written } = surroundings(join(scratch, 'isolated-wasm'));
    const client = await LspClient.start({
      bundle: tiny,
      launcher: isolated,
      environment: { ...environment, ...pretending(['alpine']) },
      cwd,
      settings: { inferenceSteps: 2 },
      threads: 2,
    });
    await client.ready();
    const enough = sleep(telemetryMs);
    await work(client);
    await enough;
    assert.equal(client.status!.device, 'wasm');
    assert.deepEqual(written(), []);
    assert.deepEqual(attemptsOf(client.server.pid!), {});
    assert.equal(await client.stop(), 0);
  });

  test('the command line completes without it', () => {
    const { environment, notes } = denied('cli');
    const { status, stderr } = spawnSync(process.execPath, [...complete, '--model', bundle], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
      cwd: root,
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      notes().map((line) => line.split(' ')[1]),
      ['watched'],
    );
  });

  test('and in a namespace without a network', needsNamespace, () => {
    const { status, output, attempts: counted, written } = runIsolated('cli', [...complete, '--model', bundle]);
    assert.equal(status, 0, output);
    assert.match(output, /"completion"/);
    assert.deepEqual(counted, {});
    assert.deepEqual(written, []);
  });
});

describe('what the programs load', () => {
  const foreign = ['http', 'https', 'http2', 'dgram', 'tls', 'dns', 'zlib', 'vm', 'inspector', 'cluster', 'wasi'];
  /** What is not in the file itself: VS Code, ONNX Runtime, and parts of our own. */
  const outside = ['vscode', 'onnxruntime-node', 'onnxruntime-web', './client', './obtain.js', './serving.js'];
  /** Whatever else a program may load, which of these it does. */
  const programs: Record<string, string[]> = {
    'extension.js': [],
    'client.js': [],
    'server.js': [],
    'inference.js': [],
    'cli.js': [],
    // Asks the address that `thoughtline.endpoint` names, and is started only where it names one (test/server/endpoint.test.ts).
    'endpoint.js': ['http', 'https'],
    // Gets the code model from its official address, when the user says so (test/server/adoption.test.ts).
    'adopt.js': ['http', 'https'],
    // The same for the command line, where wheels of pip are unpacked, too. Not packed.
    'obtain.js': ['http', 'https', 'zlib'],
    // Answers whoever asks, when the command line is told to (`thoughtline serve`). Not packed.
    'serving.js': ['http'],
  };
  for (const [name, allowed] of Object.entries(programs)) {
    const but = allowed.length > 0 ? ` but ${allowed.join(', ')}` : '';
    test(`${name}: nothing that speaks over the network, unpacks or makes code${but}, and nothing from elsewhere`, () => {
      // Comments of what is bundled speak of much.
      const code = readFileSync(join(dist, name), 'utf8').replace(/^\s*\/\/.*$/gm, '');
      const loaded = [...code.matchAll(/\b(?:require|import)\(\s*["'`]([^"'`]+)["'`]\s*\)/g)].map(
        ([, module]) => module!,
      );
      const modules = [...new Set(loaded.map((module) => module.replace(/^node:/, '')))];
      assert.ok(modules.length > 0, 'what it loads is found');
      assert.deepEqual(modules.filter((module) => foreign.includes(module.split('/')[0]!)).sort(), allowed);
      assert.deepEqual(
        modules.filter((module) => !builtinModules.includes(module) && !outside.includes(module)),
        [],
      );
      assert.doesNotMatch(code, /\b(?:fetch|WebSocket|EventSource|XMLHttpRequest)\(/);
      assert.doesNotMatch(code, /\beval\(|new Function\(/);
    });
  }

  test('only the command line can be told to call pip or to serve others, and what is packed cannot', () => {
    const calling = Object.keys(programs).filter((name) =>
      readFileSync(join(dist, name), 'utf8').includes('--no-deps'),
    );
    assert.deepEqual(calling, ['obtain.js']);
    const packed = readFileSync(join(root, '.vscodeignore'), 'utf8');
    for (const name of ['obtain.js', 'serving.js']) assert.ok(!packed.includes(name), name);
  });

  test('sockets are known for the pipes of the language server protocol alone, which nothing here asks for', () => {
    const knowing = Object.keys(programs).filter((name) =>
      /require\(["'](?:node:)?net["']\)/.test(readFileSync(join(dist, name), 'utf8')),
    );
    assert.deepEqual(knowing, ['client.js', 'server.js']);
  });
});
