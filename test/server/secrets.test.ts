/** Whatever way a text reaches the model: what it keeps secret does not, for another file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standIn } from './standIn';

const value = 'q8Zk2Lw9XtPm4Rv7';
const github = `ghp_${'aB3dE5fG7hJ9'.repeat(3)}`;
const filler = 'const total = first + second;\n'.repeat(40);

/** Files named like secrets are completed, so that there is something to hold back. */
const nothingExcluded = { languages: { dotenv: true }, exclude: { '**/.env*': false } };

/** Documents that hold a secret, and what of them others may know. */
const holders: [uri: string, language: string, text: string, known: string | undefined][] = [
  ['file:///w/.env', 'dotenv', `PAYMENT_TOKEN=${value}\n`, undefined],
  ['file:///w/.env.local', 'properties', `COLOR=${value}\n`, undefined],
  ['file:///w/%2Eenv', 'shellscript', `COLOR=${value}\n`, undefined],
  ['untitled:Untitled-1', 'dotenv', `COLOR=${value}\n`, undefined],
  ['file:///home/me/.npmrc', 'ini', `//registry/:_auth=${value}\n`, undefined],
  ['file:///w/secrets/db.yaml', 'yaml', `color: ${value}\n`, undefined],
  ['vscode-notebook-cell:/w/credentials.ipynb#W0', 'python', `color = "${value}"\n`, undefined],
  ['vscode-remote://ssh-remote+h/w/id_rsa', 'typescript', `${value}\n`, undefined],
  ['git:/w/.env?%7B%7D', 'dotenv', `COLOR=${value}\n`, undefined],
  [
    'file:///w/client.ts',
    'typescript',
    `import a from 'a';\nconst token = '${value}';\nconst b = 1;\n`,
    'const b = 1;',
  ],
  [
    'file:///w/crlf.ts',
    'typescript',
    `let c = 2;\r\nconst g = '${github}';\r\nlet d = 3;\r\n`,
    'let c = 2;\nlet d = 3;',
  ],
  ['vscode-notebook-cell:/w/n.ipynb#W1', 'python', `e = 4\napi_key = "${value}"\nf = 5\n`, 'e = 4\nf = 5'],
  ['vscode-scm:git/scm0/input', 'typescript', `// remove ${github}\n// add g\n`, '// add g'],
];

test('secrets of open documents reach no request for another one, nor a thought about it', async (context) => {
  const { client, asked, received, stop } = await standIn([{ after: '', text: 'x' }], {
    settings: { inferenceSteps: 1, ...nothingExcluded },
  });
  context.after(stop);
  for (const [uri, language, text] of holders) await client.open(uri, text, language);
  const uri = 'file:///w/pay.py';
  await client.open(uri, `${filler}PAYMENT_TOKEN=`, 'python');
  for (const invoked of [false, true]) await client.complete(uri, { line: 40, character: 14 }, { invoked });
  await client.until(() => received().some((message) => message.type === 'think' && message.uri === uri), 'a thought');

  const about = received().filter((message) => 'uri' in message && message.uri === uri);
  assert.ok(about.length >= 3);
  const said = JSON.stringify(about);
  for (const secret of [value, github]) assert.ok(!said.includes(secret), 'a secret is on its way to the model');
  const related = asked().at(-1)!.request.related;
  for (const [holder, , , known] of holders) {
    if (known !== undefined)
      assert.ok(
        related.some(({ text }) => text.includes(known)),
        holder,
      );
  }
  assert.equal(related.length, holders.filter(([, , , known]) => known !== undefined).length);
  // In the log only the names of what is left out.
  const log = client.logs.join('\n');
  assert.match(log, /file:\/\/\/w\/\.env is no evidence for other files: its name says that it may hold secrets/);
  for (const secret of [value, github]) assert.ok(!log.includes(secret));
});

test('in the file itself completion goes on; what it thinks of a file named like a secret is kept for nobody', async (context) => {
  const { client, asked, received, stop } = await standIn([{ after: 'TOKEN=', text: 'abc' }], {
    settings: nothingExcluded,
  });
  context.after(stop);
  const uri = 'file:///w/.env';
  await client.open(uri, `OTHER=${value}\nTOKEN=`, 'dotenv');
  const [item] = await client.complete(uri, { line: 1, character: 6 }, { invoked: true });
  assert.equal(item?.insertText, 'abc');
  assert.equal(asked()[0]?.request.prefix, `OTHER=${value}\nTOKEN=`);
  await client.open('file:///w/a.ts', filler);
  await client.complete('file:///w/a.ts', { line: 0, character: 0 }, { invoked: true });
  const thoughts = received().flatMap((message) => (message.type === 'think' ? [message.uri] : []));
  assert.deepEqual([...new Set(thoughts)], ['file:///w/a.ts']);
});

test('a secret that is written while the document is open is held back from then on, and edited lines stay the same', async (context) => {
  const { client, asked, stop } = await standIn([]);
  context.after(stop);
  const [from, to] = ['file:///w/a.ts', 'file:///w/b.ts'];
  await client.open(from, 'one();\ntwo();\nthree();\n');
  await client.open(to, 'const b = ');
  await client.type(from, { line: 1, character: 0 }, `const token = '${value}';\n`);
  await client.type(from, { line: 3, character: 7 }, '4');
  await client.complete(to, { line: 0, character: 10 }, { invoked: true });
  const [known] = asked().at(-1)!.request.related;
  assert.equal(known?.text, 'one();\ntwo();\nthree()4;\n');
  assert.ok(known?.edited?.includes(2), JSON.stringify(known?.edited));
  assert.ok(known?.edited?.every((line) => line < 4));
});
