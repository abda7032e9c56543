import type { AnswerPath } from '../src/protocol';
import { quantile, type Duration } from './quantile';
import type { Typing } from './serverTyping';
import type { Answered } from './typing';

/** Ways of an answer, as `bench` reports them. */
const PATHS: readonly AnswerPath[] = ['typedAlong', 'cache', 'waited', 'memory', 'reuse', 'cold', 'none'];

/** Figures of the replays of several files together. */
export function replayFigures(files: readonly string[], seconds: number, thinking: Typing[], plain: Typing[]) {
  const answers = thinking.flatMap((typing) => typing.answers);
  const without = plain.flatMap((typing) => typing.answers);
  const along = [...answers, ...without].filter((answer) => answer.along);
  const answered = answers.filter(({ path }) => path !== undefined).length;
  const busy = sum(thinking.map((typing) => typing.busy));
  const idle = sum(thinking.map((typing) => typing.idle));
  const plainly = sum(plain.map((typing) => typing.busy));
  return {
    files,
    seconds,
    keystrokes: answers.length,
    suggestions: answers.filter(({ suggested }) => suggested).length,
    superseded: answers.filter(({ cut }) => cut).length,
    ...quantiles(answers),
    loaded_after_s: round(Math.max(...thinking.map(({ loaded }) => loaded))),
    loaded: quantiles(thinking.flatMap((typing) => sinceLoaded(typing.answers, typing.loaded))),
    p50_no_refine_ms: atLeast(without, 0.5),
    p90_no_refine_ms: atLeast(without, 0.9),
    typed_along: answers.filter((answer) => answer.along).length,
    typed_along_p90_ms: atLeast(along, 0.9),
    paths: byPath(answers, answered),
    refinement: {
      steps: thinking.reduce((all, { steps }) => all + steps, 0),
      thoughts: thinking.flatMap(({ thoughts }) => thoughts).length,
      p50_ms: atLeast(
        thinking.flatMap(({ thoughts }) => thoughts),
        0.5,
      ),
      runs_waited: thinking.reduce<number[]>((all, { statistics }) => added(all, statistics.refinementRunsWaited), []),
    },
    cpu_s_per_min: round((60 * busy.cpu) / busy.seconds),
    cpu_s_per_min_no_refine: round((60 * plainly.cpu) / plainly.seconds),
    idle_cpu_percent: round((100 * idle.cpu) / idle.seconds),
  };
}

/** Answers to what was typed once the model was loaded. */
export function sinceLoaded(answers: readonly Answered[], loaded: number): Answered[] {
  return answers.filter(({ at }) => at >= loaded);
}

/** Share of each way among what was answered, and how long its answers took. */
function byPath(answers: readonly Answered[], answered: number) {
  const table = PATHS.map((path) => {
    const some = answers.filter((answer) => answer.path === path);
    return [path, { count: some.length, share: round(some.length / Math.max(1, answered)), ...quantiles(some) }];
  });
  return Object.fromEntries(table) as Record<
    AnswerPath,
    ReturnType<typeof quantiles> & Record<'count' | 'share', number>
  >;
}

function quantiles(durations: readonly Duration[]) {
  return { p50_ms: atLeast(durations, 0.5), p90_ms: atLeast(durations, 0.9), p99_ms: atLeast(durations, 0.99) };
}

/** A quantile; where too many were superseded to tell, the longest that was seen is a lower bound. */
export function atLeast(durations: readonly Duration[], share: number): number {
  return round(quantile(durations, share) ?? Math.max(0, ...durations.map(({ ms }) => ms)));
}

function sum(parts: readonly { readonly cpu: number; readonly seconds: number }[]) {
  return parts.reduce((all, { cpu, seconds }) => ({ cpu: all.cpu + cpu, seconds: all.seconds + seconds }), {
    cpu: 0,
    seconds: 0,
  });
}

function added(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}

/** Three significant digits are more than a measurement is worth. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
