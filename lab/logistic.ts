import { sigmoid } from '../src/numbers';

/** Keeps weights finite where a feature decides alone. */
const RIDGE = 0.5;
const ROUNDS = 30;

/**
 * Logistic regression by Newton's method with a ridge penalty on the weights, not on the bias.
 * @param rows features of the examples, all of one length; @param right whether each example is what is to be told
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  right: readonly boolean[],
): { bias: number; weights: number[] } {
  const size = (rows[0]?.length ?? 0) + 1;
  const inputs = rows.map((row) => [1, ...row]);
  let theta: number[] = Array.from({ length: size }, () => 0);
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = theta.map((value, i) => (i === 0 ? 0 : RIDGE * value));
    const hessian = theta.map((_, i) => theta.map((__, j) => (i === j ? (i === 0 ? 1e-6 : RIDGE) : 0)));
    inputs.forEach((row, index) => {
      const p = sigmoid(dot(row, theta));
      const error = p - Number(right[index]);
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
  const [bias = 0, ...weights] = theta;
  return { bias, weights };
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
