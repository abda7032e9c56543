import fc from 'fast-check';
import type { Property } from './properties';

export interface FuzzReport {
  readonly cases: number;
  readonly seed: number;
  readonly byProperty: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Runs properties until their cases add up to at least `cases`. @throws the first counterexample, made small */
export async function fuzz(properties: readonly Property[], cases: number, seed: number): Promise<FuzzReport> {
  const began = performance.now();
  const weights = properties.reduce((sum, { weight }) => sum + weight, 0);
  const byProperty: Record<string, number> = {};
  for (const { name, weight, property, once = false } of properties) {
    const numRuns = Math.ceil((cases * weight) / weights);
    const outcome = await fc.check(property() as fc.IRawProperty<unknown>, {
      seed,
      numRuns,
      endOnFailure: once,
      includeErrorInReport: true,
    });
    if (outcome.failed) throw new Error(`${name}\n${await fc.asyncDefaultReportMessage(outcome)}`);
    byProperty[name] = outcome.numRuns - outcome.numSkips;
  }
  const all = Object.values(byProperty).reduce((sum, count) => sum + count, 0);
  return { cases: all, seed, byProperty, seconds: (performance.now() - began) / 1000 };
}
