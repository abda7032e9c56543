// Ruff over the training package: what it finds, and what it would write otherwise.
//   node train/lint.mjs [--fix]
import { spawnSync } from 'node:child_process';
import { train, trainEnvironment } from './environment.mjs';

const fix = process.argv.includes('--fix');
const steps = [
  ['check', ...(fix ? ['--fix'] : []), '.'],
  ['format', ...(fix ? [] : ['--check']), '.'],
];
try {
  const { python } = trainEnvironment();
  for (const words of steps) {
    const { status } = spawnSync(python, ['-m', 'ruff', ...words], { cwd: train, stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
