import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Engine } from '../../src/completion/engine';
import type { FromInference } from '../../src/inference/messages';
import { InferenceService } from '../../src/inference/process';
import { FROZEN, TINY } from '../fixtures';
import { randomFrom, slope } from './random';

export interface HeapReport {
  readonly requests: number;
  /** After a collection, at a tenth of the requests and at the end. */
  readonly warmMb: number;
  readonly endMb: number;
  readonly mbPerThousandRequests: number;
}

const written = ['x', 'const a = 1;', '\n', ' ', '(', '}\n', 'é', 'return value'];

/** A string as it comes from another process: of its own, part of no other. */
const sent = (text: string) => Buffer.from(text).toString();

/**
 * What the inference process does, in this process, where garbage can be collected before the heap is measured: requests
 * for suggestions and thoughts about twenty files that are edited, each with all the others beside it.
 */
export async function heapOfService(requests: number, seed: number): Promise<HeapReport> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const engine = await Engine.open(TINY, { device: 'cpu', threads: 1 });
  let settle: () => void = () => undefined;
  const settles: FromInference['type'][] = ['completed', 'thought', 'declined'];
  const service = new InferenceService(engine, ({ type }) => {
    if (settles.includes(type)) settle();
  });
  const random = randomFrom(seed);
  const source = readFileSync(join(FROZEN, 'src/completion/decode.ts'), 'utf8');
  const texts = Array.from({ length: 20 }, () => source.slice(random(2000)));
  const points: [number, number][] = [];
  let file = 0;
  let cursor = 100;
  for (let id = 1; id <= requests; id++) {
    if (random(20) === 0) {
      file = random(texts.length);
      cursor = texts[file]!.indexOf('\n', random(texts[file]!.length - 200));
    }
    const text = texts[file]!;
    const inserted = written[random(written.length)]!;
    texts[file] = text.slice(0, cursor) + inserted + text.slice(cursor + (text.length > source.length ? 40 : 0));
    cursor = Math.min(cursor + inserted.length, texts[file]!.length - 1);
    const related = texts.map((other, i) => ({ path: `/w/${i}.ts`, text: sent(other) })).filter((_, i) => i !== file);
    const prefix = sent(texts[file]!.slice(0, cursor));
    const request = { path: `/w/${file}.ts`, prefix, suffix: sent(texts[file]!.slice(cursor)), related };
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const uri = `file:///w/${file}.ts`;
    if (random(25) === 0) service.receive({ type: 'think', id, uri, request, mode: 'follow', steps: 2 });
    else {
      const options = {
        maxLines: 2,
        suggestionOptions: { memory: true, syntaxCheck: false, confidence: 'off' } as const,
        invoked: false,
      };
      service.receive({ type: 'complete', id, uri, request, options, sentAt: 0, prefetch: false });
    }
    await settled;
    if (id % Math.ceil(requests / 10) === 0) {
      collect();
      points.push([id, process.memoryUsage().heapUsed / 1e6]);
    }
  }
  await engine.close();
  const last = points.slice(Math.floor(points.length / 3));
  return { requests, warmMb: points[0]![1], endMb: points.at(-1)![1], mbPerThousandRequests: 1000 * slope(last) };
}
