import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, UserError } from '../src/model/errors';
import { MODEL_OPTIONS, MODEL_USAGE, parse } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { evaluateRepositories } from './evaluation/command';

const USAGE = `npm run lab -- evaluate DIR… [options]
  How well is unseen code completed, and does thinking help? Each DIR is a repository. Line suffixes, whole lines and
  blocks of 2 to 5 lines are cut out of its files (the thought never sees them) and completed under z_0, under the
  context's thought after T steps, and under thoughts of others.

  --each DIR        every folder in DIR is a repository, too
  --items N         texts to cut out (default: 200): rests of lines, lines and blocks, at meaningful and random places
  --repositories N  of so many repositories at most, by lot (default: all)
  --minutes N       begin nothing new after that time; what was measured until then counts (default: no limit)
  --steps LIST      numbers of steps (default: 0,1,2,4,8,16; 0 and 4 are always among them)
  --plain BUNDLE    a decoder without thought, trained at the same cost, for comparison
  --add FILE        count what --out holds of an earlier run by another seed, too; may be given more than once
  --plot FILE.svg   draw quality over steps
  --card TITLE      put the tables into the model's card (README.md), as the section of that title
  --families        instead of numbers of steps: thought, samples, confidence, syntax check and memory, alone
                    and together (\`npm run families\` makes the page docs/families.md of --out FILE)
  --typing          instead: passages of about 200 characters are typed into files, at T = 0 and 4; a suggestion of the rest
                    of the line is accepted if all its text is right. How much of the code is completed? (--items 20)
  --sure LIST       with --typing: at T = 0, with suggestions shown as far as they are right with each of these probabilities
  --middles         with --typing: pieces of 4 to 32 characters out of the middle of lines, which are typed between what
                    stands on both sides
  --seed S          which texts (default: 1)
  --memory on|off   whether the lookup memory is used with --typing (default: on)
  --json            print everything as JSON
  --out FILE        write everything as JSON, every text included
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  each: { type: 'string' },
  items: { type: 'string' },
  repositories: { type: 'string' },
  minutes: { type: 'string' },
  plot: { type: 'string' },
  add: { type: 'string', multiple: true },
  steps: { type: 'string' },
  plain: { type: 'string' },
  families: { type: 'boolean' },
  typing: { type: 'boolean' },
  sure: { type: 'string' },
  middles: { type: 'boolean' },
  card: { type: 'string' },
  seed: { type: 'string' },
  memory: { type: 'string' },
  json: { type: 'boolean' },
  out: { type: 'string' },
} as const;

export const evaluate: Command = {
  summary: 'write unseen code again: does thinking help?',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    for (const path of [values.out, values.plot]) if (path !== undefined) await requireWritable(path);
    if (positionals.length === 0 && values.each === undefined) {
      throw new UsageError('give folders of source code, or --each DIR');
    }
    return evaluateRepositories(positionals, values);
  },
};

async function requireWritable(path: string): Promise<void> {
  await access(path, constants.W_OK)
    .catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return access(dirname(path), constants.W_OK);
      throw error;
    })
    .catch((error: unknown) => {
      throw new UserError(`${path}: cannot be written (${messageOf(error)}); give another path`);
    });
}
