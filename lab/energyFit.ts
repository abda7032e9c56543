import type { EnergyWeights } from '../src/model/manifest';
import { confidence, energy, FEATURES, type Features } from '../src/completion/energy';

/** A candidate for one place, and whether it is what stood there. */
export interface Example {
  /** The place; candidates of one place compete. */
  readonly place: string;
  readonly features: Features;
  readonly right: boolean;
}

/** Keeps weights finite where a feature decides alone. */
const RIDGE = 0.5;
const ROUNDS = 30;

/** Logistic regression by Newton's method with a ridge penalty on the weights, not on the bias. */
export function fitEnergy(examples: readonly Example[]): Pick<EnergyWeights, 'bias' | 'weights'> {
  const size = FEATURES.length + 1;
  const rows = examples.map(({ features }) => [1, ...FEATURES.map((name) => features[name])]);
  let theta: number[] = Array.from({ length: size }, () => 0);
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = theta.map((value, i) => (i === 0 ? 0 : RIDGE * value));
    const hessian = theta.map((_, i) => theta.map((__, j) => (i === j ? (i === 0 ? 1e-6 : RIDGE) : 0)));
    rows.forEach((row, index) => {
      const p = 1 / (1 + Math.exp(-dot(row, theta)));
      const error = p - Number(examples[index]?.right);
      for (let i = 0; i < size; i++) {
        gradient[i] = (gradient[i] as number) + error * (row[i] as number);
        const line = hessian[i] as number[];
        for (let j = 0; j < size; j++)
          line[j] = (line[j] as number) + p * (1 - p) * (row[i] as number) * (row[j] as number);
      }
    });
    const move = solve(hessian, gradient);
    theta = theta.map((value, i) => value - (move[i] as number));
    if (Math.max(...move.map(Math.abs)) < 1e-7) break;
  }
  const weights = Object.fromEntries(FEATURES.map((name, i) => [name, theta[i + 1]])) as Features;
  return { bias: theta[0] as number, weights };
}

/** What would be shown at a place, how sure the model is of it, and whether it is right. */
export interface Shown {
  readonly confidence: number;
  readonly right: boolean;
}

/**
 * Expected calibration error (Naeini et al. 2015): mean distance between confidence and accuracy over ten bins of equal
 * width, weighted by their counts.
 */
export function calibrationError(shown: readonly Shown[], bins = 10): number {
  let error = 0;
  for (let bin = 0; bin < bins; bin++) {
    const inside = shown.filter(({ confidence }) => Math.min(bins - 1, Math.floor(confidence * bins)) === bin);
    const gap = inside.reduce((sum, { confidence, right }) => sum + confidence - Number(right), 0);
    error += Math.abs(gap);
  }
  return error / Math.max(1, shown.length);
}

/** The candidate of lowest energy of each place. */
export function bestOfEach(examples: readonly Example[], model: Pick<EnergyWeights, 'bias' | 'weights'>): Shown[] {
  const best = new Map<string, { energy: number; right: boolean }>();
  for (const { place, features, right } of examples) {
    const own = energy(features, model);
    const before = best.get(place);
    if (!before || own < before.energy) best.set(place, { energy: own, right });
  }
  return [...best.values()].map((one) => ({ confidence: confidence(one.energy), right: one.right }));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Solves a·x = b for a symmetric positive definite a (Gaussian elimination with partial pivoting). */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i] as number]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]?.[column] as number) > Math.abs(rows[pivot]?.[column] as number)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const head = rows[column] as number[];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const line = rows[row] as number[];
      const factor = (line[column] as number) / (head[column] as number);
      for (let i = column; i <= size; i++) line[i] = (line[i] as number) - factor * (head[i] as number);
    }
  }
  return rows.map((row, i) => (row[size] as number) / (row[i] as number));
}
