/** The workflow has run nowhere yet: at least what it names is there, and it checks what `.ci/run` checks. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../fixtures';

const workflow = readFileSync(join(ROOT, '.github/workflows/ci.yml'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);
const holdsTests = (suite: string) =>
  readdirSync(join(ROOT, 'test', suite), { recursive: true }).some((name) => String(name).endsWith('.test.ts'));
const scriptsIn = (text: string) => new Set(all(text, /\bnpm run (?:--silent )?([\w:]+)/g));

test('every script and every suite that the workflow runs is there', () => {
  for (const name of scriptsIn(workflow)) assert.ok(scripts[name], `npm run ${name}`);
  const named = all(workflow, /suites: ([\w ]+)/g).flatMap((words) => words.trim().split(' '));
  for (const suite of named) assert.ok(existsSync(join(ROOT, 'test', suite)), suite);
  // One system runs all suites.
  const suites = readdirSync(join(ROOT, 'test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && holdsTests(entry.name))
    .map(({ name }) => name);
  assert.ok(
    all(workflow, /suites: ([\w ]+)/g).some((words) =>
      suites.every((suite) => words.trim().split(' ').includes(suite)),
    ),
    suites.join(' '),
  );
});

test('it is YAML, every job has a limit of time, and only those of a tag may write or publish', () => {
  const { permissions, jobs } = parse(workflow) as {
    permissions: object;
    jobs: Record<string, { if?: string; 'timeout-minutes'?: number; permissions?: object; environment?: string }>;
  };
  assert.deepEqual(permissions, { contents: 'read' });
  for (const [name, job] of Object.entries(jobs)) {
    assert.ok(job['timeout-minutes'], name);
    if (job.permissions ?? job.environment) assert.equal(job.if, "startsWith(github.ref, 'refs/tags/v')", name);
  }
});

test('it checks what .ci/run checks', () => {
  // Its tests are the suites, by name.
  const tests = new Set(['test', 'test:all']);
  const steps = [...scriptsIn(readFileSync(join(ROOT, '.ci/run'), 'utf8'))];
  for (const name of steps) assert.ok(scripts[name], `npm run ${name}`);
  assert.deepEqual(
    steps.filter((name) => !tests.has(name) && !scriptsIn(workflow).has(name)),
    [],
  );
});

test('it tests on three systems, and attaches the packages of all platforms once everything has passed', () => {
  for (const system of ['ubuntu', 'macos', 'windows'])
    assert.ok(workflow.includes(`os: ${system}-latest, suites:`), system);
  const jobs = new Map(
    all(workflow.slice(workflow.indexOf('\njobs:')), /^ {2}(\w+):$/gm).map((name) => {
      const body = workflow.slice(workflow.indexOf(`\n  ${name}:\n`) + 1).split(/\n(?= {2}\w)/, 1)[0]!;
      const [, needs = ''] = /^ {4}needs: \[(.*)\]$/m.exec(body) ?? [];
      return [name, { body, needs: needs.split(', ').filter(Boolean) }];
    }),
  );
  for (const [name, { needs }] of jobs) for (const other of needs) assert.ok(jobs.has(other), `${name} needs ${other}`);
  assert.deepEqual([...jobs.keys()], ['check', 'test', 'train', 'package', 'release', 'publish']);
  assert.deepEqual(jobs.get('package')!.needs, ['check', 'test']);
  assert.deepEqual(jobs.get('release')!.needs, ['package', 'train']);
  assert.match(jobs.get('package')!.body, /npm run package -- --target all\n[^]*path: '\*\.vsix'/);
  assert.match(jobs.get('release')!.body, /gh release upload "\$TAG" \.\/\*\.vsix/);
  assert.deepEqual(jobs.get('publish')!.needs, ['release']);
  for (const publish of [
    /if: env\.VSCE_PAT != ''\n +run: npx vsce publish --packagePath/,
    /if: env\.OVSX_PAT != ''\n +run: npx --yes ovsx@\S+ publish --packagePath/,
  ]) {
    assert.match(jobs.get('publish')!.body, publish);
  }
});
