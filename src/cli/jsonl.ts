import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { messageOf, UserError } from '../model/errors';

const request = z.object({
  id: z.union([z.string(), z.number()]),
  path: z.string().min(1),
  prefix: z.string(),
  suffix: z.string().default(''),
  related: z.array(z.object({ path: z.string().min(1), text: z.string() })).default([]),
});

/** A line of `complete --jsonl`. */
export const completionItem = request;
export type CompletionItem = z.infer<typeof completionItem>;

/** A line of `score --jsonl`. */
export const scoreItem = request.extend({ target: z.string() });
export type ScoreItem = z.infer<typeof scoreItem>;

/**
 * Reads the items of a JSONL file in order; empty lines count for nothing.
 * @param report called with one line for each line that is no item
 * @throws UserError if the file cannot be read
 */
export async function* readItems<Item>(
  path: string,
  schema: z.ZodType<Item>,
  report: (problem: string) => void,
): AsyncGenerator<Item> {
  await requireFile(path);
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    number++;
    if (line.trim() === '') continue;
    const item = readItem(line, schema);
    if (typeof item === 'string') report(`${path}:${number}: ${item}; line skipped`);
    else yield item.value;
  }
}

/** All items of a file of texts to be scored; a bad line is reported on standard error and counted. */
export async function readScoreItems(path: string): Promise<{ items: ScoreItem[]; bad: number }> {
  let bad = 0;
  const items: ScoreItem[] = [];
  for await (const item of readItems(path, scoreItem, (problem) => {
    bad++;
    console.error(`thoughtline: ${problem}`);
  })) {
    items.push(item);
  }
  return { items, bad };
}

function readItem<Item>(line: string, schema: z.ZodType<Item>): { value: Item } | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not valid JSON';
  }
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0];
  return `${issue?.path.join('.') || 'item'}: ${issue?.message ?? 'invalid'}`;
}

/** Number of items of a JSONL file, for a progress bar. */
export async function countItems(path: string): Promise<number> {
  await requireFile(path);
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    if (line.trim() !== '') count++;
  }
  return count;
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new UserError(`${path}: no such file`);
}

/** A JSONL file that is being written; every record is on disk before the next one is begun. */
export class RecordWriter {
  private constructor(
    private readonly write: (line: string) => Promise<void>,
    readonly close: () => Promise<void>,
  ) {}

  static async open(path: string): Promise<RecordWriter> {
    const file = await open(path, 'w').catch((error: unknown) => {
      throw new UserError(`${path}: cannot be written (${messageOf(error)})`);
    });
    return new RecordWriter(
      async (line) => void (await file.write(line)),
      () => file.close(),
    );
  }

  add(record: unknown): Promise<void> {
    return this.write(`${JSON.stringify(record)}\n`);
  }
}
