// The stand-in for the inference process (standIn.ts): it writes down what it is told and answers what its folder says.
const { appendFileSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const send = (message) => process.send(message);
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  appendFileSync(join(__dirname, 'received.jsonl'), `${JSON.stringify(message)}\n`);
  const { type, id, uri } = message;
  if (type === 'open')
    send({
      type: 'ready',
      device: 'cpu',
      model: { name: 'stand-in', version: '1', readsThought: true, defaultSteps: 1, infills: infills() },
    });
  if (type === 'usage') send({ type, id, memoryMb: 0, cpuSeconds: 0 });
  if (type === 'think') send({ type: 'thought', id, uri });
  if (type === 'complete') send({ type: 'completed', id, ...answerTo(message.request.prefix) });
});

function infills() {
  return JSON.parse(readFileSync(join(__dirname, 'answers.json'), 'utf8')).some(({ infills }) => infills);
}

function answerTo(prefix) {
  const answers = JSON.parse(readFileSync(join(__dirname, 'answers.json'), 'utf8'));
  const fitting = answers.find(({ after }) => prefix.endsWith(after));
  const { text = '', stop = 'none', replaceSuffix = 0 } = fitting ?? {};
  const candidates = text === '' ? [] : [{ text, replaceSuffix, logprob: -1 }];
  const result = { text, candidates, replaceSuffix, milliseconds: 1, stop, read: 0, written: 1 };
  const window = { prefixTokens: 1, suffixTokens: 0 };
  return { result, window, thought: 0, refinementRunsWaited: 0, refinementRunsAhead: 0 };
}
