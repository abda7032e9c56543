/** Everything that measures: `npm run lab -- COMMAND`. Nothing of it ships. */
import { runProgram } from '../src/cli/run';
import { bench } from './bench';
import { compare } from './compare';
import { drafts } from './drafts';
import { early } from './early';
import { edits } from './edits';
import { evaluate } from './evaluate';
import { evidence } from './evidence';
import { fitConfidence } from './fitConfidence';
import { fitMemory } from './fitMemory';
import { fitKnn } from './fitKnn';
import { frozen } from './frozen';
import { gate } from './gate';
import { nextEdits } from './nextEdits/command';
import { score } from './score';
import { staleness } from './staleness';

runProgram({
  name: 'lab',
  title: 'What Thoughtline is worth, how fast it is, and what is fitted to a model',
  start: 'npm run lab --',
  commands: {
    score,
    evaluate,
    bench,
    compare,
    staleness,
    early,
    drafts,
    frozen,
    edits,
    evidence,
    gate,
    'next-edits': nextEdits,
    'fit-memory': fitMemory,
    'fit-knn': fitKnn,
    'fit-confidence': fitConfidence,
  },
});
