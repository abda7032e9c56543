/**
 * The files by which replicas are run: no container is started here, but the programs that read them accept them, and what
 * they name is there and fits together. That nginx balances by them is in test/server/balancer.test.ts.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { readServeOptions } from '../../src/cli/serve';
import { MAX_BODY } from '../../src/serve/http';
import { ROOT } from '../fixtures';
import { findTools, type Tools } from '../tools/tools';

const read = (name: string) => readFileSync(join(ROOT, 'deploy', name), 'utf8');

/** The options of a command line as the command itself reads them; of the token's file it is not asked here. */
function options([command, ...args]: readonly string[]) {
  assert.equal(command, 'serve');
  const at = args.indexOf('--token-file');
  assert.ok(at >= 0, 'whoever can be reached by others asks for a token');
  const [, file = ''] = args.splice(at, 2);
  return { file, ...readServeOptions(args, {}) };
}

describe('the programs that these files are for', { timeout: 300_000 }, () => {
  const tools = findTools();
  const skip = typeof tools === 'string' ? tools : false;
  const deploy = join(ROOT, 'deploy');
  const run = (program: string, ...args: string[]) => (tools as Tools).run(program, args);

  test('Compose reads compose.yaml, and says the same of it', { skip }, () => {
    const { code, said } = run('docker-compose', '--file', join(deploy, 'compose.yaml'), 'config', '--format', 'json');
    assert.equal(code, 0, said);
    const { services } = JSON.parse(said) as { services: Record<string, { deploy?: { replicas: number } }> };
    assert.deepEqual(Object.keys(services).sort(), ['balancer', 'thoughtline']);
    assert.equal(services['thoughtline']!.deploy!.replicas, 2);
  });

  test('kubernetes.yaml keeps the schemas of Kubernetes, and names nothing that they do not know', { skip }, () => {
    const { code, said } = run('kubernetes-validate', '--strict', join(deploy, 'kubernetes.yaml'));
    assert.equal(code, 0, said);
    assert.equal(said.match(/passed for resource/g)?.length, 3, said);
  });

  test('the Dockerfile has no fault that Hadolint knows', { skip }, () => {
    const { code, said } = run('hadolint', '--no-color', join(deploy, 'Dockerfile'));
    assert.equal(code, 0, said);
  });

  test('a typing error is none of their silence', { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'thoughtline-deploy-'));
    try {
      const misspelt = (name: string, right: string, wrong: string) => {
        const text = read(name).replace(right, wrong);
        assert.notEqual(text, read(name), `${name} holds ${right}`);
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const compose = misspelt('compose.yaml', 'healthcheck:', 'healthchek:');
      assert.match(run('docker-compose', '--file', compose, 'config').said, /healthchek/);
      const kubernetes = misspelt('kubernetes.yaml', 'readinessProbe:', 'readynessProbe:');
      assert.match(run('kubernetes-validate', '--strict', kubernetes).said, /readynessProbe/);
      const image = misspelt('Dockerfile', 'ENTRYPOINT', 'ENTRYPONT');
      assert.notEqual(run('hadolint', image).code, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the image', () => {
  const lines = read('Dockerfile').split('\n').filter((line) => /^[A-Z]/.test(line)); // prettier-ignore

  test('what it copies is in the repository, and what it starts is a command of ours', () => {
    const copied = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
    assert.ok(copied.length > 0);
    for (const line of copied) {
      for (const name of line.split(' ').slice(1, -1)) assert.ok(existsSync(join(ROOT, name)), name);
    }
    const command = JSON.parse(lines.find((line) => line.startsWith('CMD '))!.slice(4)) as string[];
    const { host, port, file } = options(command);
    assert.deepEqual([host, port, file], ['0.0.0.0', 8790, '/run/secrets/token']);
    assert.ok(lines.includes(`EXPOSE ${port}`));
    assert.ok(lines.includes('USER 1000'), 'not as root');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules/onnxruntime-node/package.json'), 'utf8')) as { version: string }; // prettier-ignore
    assert.ok(version, 'the runtime is a dependency, which npm prune leaves');
  });
});

interface Compose {
  services: Record<
    string,
    {
      command?: string[];
      secrets?: string[];
      ports?: string[];
      volumes?: string[];
      build?: { context: string; dockerfile: string };
      deploy?: { replicas: number };
      depends_on?: Record<string, unknown>;
    }
  >;
  secrets: Record<string, { file: string }>;
}

describe('Compose', () => {
  const { services, secrets } = parse(read('compose.yaml')) as Compose;
  const { thoughtline, balancer } = services;

  test('several replicas with one token, which is a secret', () => {
    assert.deepEqual(Object.keys(services), ['thoughtline', 'balancer']);
    const { host, port, file } = options(thoughtline!.command!);
    assert.deepEqual([host, port], ['0.0.0.0', 8790]);
    const [secret] = thoughtline!.secrets!;
    assert.equal(file, `/run/secrets/${secret}`);
    assert.ok(secrets[secret!]!.file);
    assert.match(readFileSync(join(ROOT, '.gitignore'), 'utf8'), /^deploy\/token$/m);
    assert.ok(thoughtline!.deploy!.replicas >= 2);
    assert.equal(thoughtline!.ports, undefined, 'clients come by the balancer alone');
    const { context, dockerfile } = thoughtline!.build!;
    assert.ok(existsSync(join(ROOT, 'deploy', context, dockerfile)));
  });

  test('a balancer that keeps a user on one of them, open to this machine until somebody opens it', () => {
    assert.deepEqual(Object.keys(balancer!.depends_on!), ['thoughtline']);
    const [file] = balancer!.volumes![0]!.split(':');
    assert.ok(existsSync(join(ROOT, 'deploy', file!)), file);
    for (const port of balancer!.ports!) assert.match(port, /^127\.0\.0\.1:/);
    const nginx = read('nginx.conf');
    assert.match(nginx, /^\s+hash \$thoughtline_user consistent;$/m);
    assert.match(nginx, /^map \$http_x_user \$thoughtline_user \{$/m);
    assert.match(nginx, /^\s+server thoughtline:8790;$/m);
    assert.match(nginx, /^\s+proxy_buffering off;$/m);
    const [, megabytes] = /client_max_body_size (\d+)m;/.exec(nginx)!;
    assert.equal(Number(megabytes) << 20, MAX_BODY);
    // Every block that is opened is closed.
    assert.equal(nginx.match(/\{/g)!.length, nginx.match(/\}/g)!.length);
  });
});

interface Resource {
  kind: string;
  metadata: { name: string };
  spec: {
    replicas?: number;
    selector: { matchLabels?: Record<string, string> } & Record<string, unknown>;
    template?: {
      metadata: { labels: Record<string, string> };
      spec: {
        containers: {
          args: string[];
          ports: { name: string; containerPort: number }[];
          volumeMounts: { name: string; mountPath: string }[];
          [probe: `${string}Probe`]: { httpGet: { path: string; port: string } };
        }[];
        volumes: { name: string; secret: { secretName: string } }[];
      };
    };
    ports?: { port: number; targetPort: string }[];
    sessionAffinity?: string;
  };
}

describe('Kubernetes', () => {
  const documents = parseAllDocuments(read('kubernetes.yaml'));
  const resources = documents.map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Resource;
  });
  const of = (kind: string) => resources.find((resource) => resource.kind === kind)!.spec;

  test('what selects the replicas selects those of the deployment, and a client stays on one', () => {
    assert.deepEqual(resources.map(({ kind }) => kind), ['Deployment', 'Service', 'PodDisruptionBudget']); // prettier-ignore
    const { labels } = of('Deployment').template!.metadata;
    assert.ok(of('Deployment').replicas! >= 2);
    assert.deepEqual(of('Deployment').selector.matchLabels, labels);
    assert.deepEqual(of('Service').selector, labels);
    assert.deepEqual(of('PodDisruptionBudget').selector.matchLabels, labels);
    assert.equal(of('Service').sessionAffinity, 'ClientIP');
  });

  test('ports, probes, token and arguments fit together', () => {
    const { containers, volumes } = of('Deployment').template!.spec;
    const [container] = containers;
    const { host, port, file } = options(container!.args);
    const [api] = container!.ports;
    assert.deepEqual([host, port], ['0.0.0.0', api!.containerPort]);
    assert.equal(of('Service').ports![0]!.targetPort, api!.name);
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
      assert.deepEqual(container![probe]!.httpGet, { path: '/health', port: api!.name }, probe);
    }
    const [mount] = container!.volumeMounts;
    assert.equal(file, `${mount!.mountPath}/token`);
    assert.equal(volumes[0]!.name, mount!.name);
    assert.equal(volumes[0]!.secret.secretName, 'thoughtline');
  });
});
