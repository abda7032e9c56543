/**
 * Online Bayesian logistic regression with a diagonal Gaussian posterior over the weights: the regularised logistic
 * regression of Chapelle & Li (An Empirical Evaluation of Thompson Sampling, 2011, algorithm 3), one example at a time.
 */

export interface Posterior {
  readonly mean: readonly number[];
  /** Inverse variances. */
  readonly precision: readonly number[];
}

/** Precision of every weight before anything is known: features are of the size of one. */
const PRIOR_PRECISION = 1;

/** Newton's method for one bounded, increasing, concave-convex function; it has converged long before. */
const ROUNDS = 30;

export function priorOf(size: number): Posterior {
  return {
    mean: Array.from({ length: size }, () => 0),
    precision: Array.from({ length: size }, () => PRIOR_PRECISION),
  };
}

export function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Probability of a reward under the whole posterior, by MacKay's approximation (1992): what is uncertain is moderate. */
export function probability({ mean, precision }: Posterior, features: readonly number[]): number {
  const activation = dot(mean, features);
  return logistic(activation / Math.sqrt(1 + (Math.PI * spread(precision, features)) / 8));
}

/**
 * The posterior after one example: the new mean is the mode, the new precision the curvature there (Laplace). Since there is
 * one example, the mode lies at mean + α · features / precision, and α is the root of a function of one variable.
 * @param reward from 0 to 1
 * @param memory number of examples after which an old one counts less by a factor of e; what a user likes changes
 */
export function updated(posterior: Posterior, features: readonly number[], reward: number, memory: number): Posterior {
  const kept = Math.exp(-1 / memory);
  const { mean } = posterior;
  const precision = posterior.precision.map((value) => PRIOR_PRECISION + kept * (value - PRIOR_PRECISION));
  const activation = dot(mean, features);
  const variance = spread(precision, features);
  let alpha = 0;
  // alpha = reward − p, so it is never outside of these.
  let [low, high] = [reward - 1, reward];
  for (let round = 0; round < ROUNDS; round++) {
    const p = logistic(activation + alpha * variance);
    const error = alpha - reward + p;
    if (error > 0) high = alpha;
    else low = alpha;
    const next = alpha - error / (1 + variance * p * (1 - p));
    alpha = next > low && next < high ? next : (low + high) / 2;
  }
  const p = logistic(activation + alpha * variance);
  return {
    mean: mean.map((value, i) => value + (alpha * (features[i] as number)) / (precision[i] as number)),
    precision: precision.map((value, i) => value + (features[i] as number) ** 2 * p * (1 - p)),
  };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Variance of the activation. */
function spread(precision: readonly number[], features: readonly number[]): number {
  return precision.reduce((sum, value, i) => sum + (features[i] as number) ** 2 / value, 0);
}
