import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forOthers, knownLines } from '../../../src/workspace/secrets';

// Put together here, so that no scanner of repositories takes them for real ones.
const random = 'aB3dE5fG7hJ9';
const token = (prefix: string, length: number) => prefix + random.repeat(10).slice(0, length);
const hex = (prefix: string, length: number) => prefix + '3f9a07c1'.repeat(10).slice(0, length);
const begin = (kind: string) => ['-----BEGIN ', `${kind}PRIVATE KEY-----`].join('');
const end = (kind: string) => ['-----END ', `${kind}PRIVATE KEY-----`].join('');
const body = ['MIIEpAIBAAKC', 'q83vEjRWeJ/x+2=='];

const known = (line: string) => knownLines(['const a = 1;', line, 'const b = 2;']);
const held = [true, false, true];
const free = [true, true, true];

const forms: Record<string, string> = {
  AWS: `AKIA${'3X7PQ9WZTL5RBM2N'}`,
  GitHub: token('ghp_', 36),
  'GitHub, fine-grained': token('github_pat_', 40),
  GitLab: token('glpat-', 20),
  'GitLab, a runner': token('glrt-', 20),
  npm: token('npm_', 36),
  PyPI: token('pypi-', 60),
  RubyGems: hex('rubygems_', 48),
  Docker: token('dckr_pat_', 27),
  'Hugging Face': token('hf_', 34),
  Slack: token('xoxb-', 24),
  'a Slack hook': `https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/${token('', 24)}`,
  Telegram: `123456789:AA${token('', 33)}`,
  Google: token('AIza', 35),
  Stripe: token('sk_live_', 24),
  'a model service': token('sk-proj-', 48),
  SendGrid: `SG.${token('', 22)}.${token('', 43)}`,
  Shopify: hex('shpat_', 32),
  DigitalOcean: hex('dop_v1_', 64),
  Vault: token('hvs.', 30),
  'Azure storage': `AccountKey=${token('', 86)}==`,
  'a JSON Web Token': `${token('eyJ', 20)}.${token('eyJ', 20)}.${token('', 20)}`,
  age: `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`,
};
for (const [name, secret] of Object.entries(forms)) {
  test(`a credential known by its form is for its own file alone: ${name}`, () => {
    for (const line of [`const key = '${secret}'; // keep`, `# ${secret}`, secret, `KEY=${secret}`]) {
      assert.deepEqual(known(line), held, line);
    }
  });
}

const lines: Record<string, string[]> = {
  'addresses with a password': [
    'const db = "postgres://admin:s3cr3t@db.example.com:5432/app";',
    'redis://:hunter2@cache:6379/0',
    'MONGO=mongodb+srv://me:p%40ss@cluster0.example.net',
    'git clone https://me:abc@git.example.com/x.git',
    `url = https://${token('', 24)}@git.example.com/x.git`,
  ],
  'passwords that were chosen': [
    'password = "Winter2024!"',
    "DB_PASSWORD: 'hunter2hunter2'",
    'const dbPassword: string = "Tr0ub4dor&3";',
    '"passwd": "P@ssword123",',
    '<password>Winter2024!</password>',
    '<add key="Password" value="Winter2024!" />',
    "define('DB_PASSWORD', 'Winter2024!');",
    'user.setPassword("Winter2024!");',
    'mysql --user root --password=Winter2024!',
    'jdbc = "Server=db;User=sa;Password=Winter2024!;"',
    "CREATE USER app IDENTIFIED BY PASSWORD 'Winter2024!'",
    'password => "Winter2024!"',
  ],
  'values that are random': [
    'PAYMENT_TOKEN=q8Zk2Lw9XtPm4Rv7',
    'export API_KEY="q8Zk2Lw9XtPm4Rv7"',
    'api_key: q8Zk2Lw9XtPm4Rv7',
    'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYq8Zk2Lw9X',
    `const clientSecret = '${hex('', 32)}';`,
    `Authorization: Bearer ${token('', 32)}`,
    `headers["Authorization"] = "Basic dXNlcjpwYXNzd29yZDEyMw=="`,
    `os.environ["SESSION_KEY"] = "${hex('', 40)}"`,
    'secret = os.getenv("SECRET", "550e8400-e29b-41d4-a716-446655440000")',
    'cookie: "sid=q8Zk2Lw9XtPm4Rv7"',
    'private_key = "aGVsbG93b3JsZGFnYWlu"',
  ],
};
for (const [name, all] of Object.entries(lines)) {
  test(`a line with a credential is for its own file alone: ${name}`, () => {
    for (const line of all) assert.deepEqual(known(line), held, line);
  });
}

test('what only looks like it a little stays: names, hashes, samples, code that handles secrets', () => {
  const all = [
    "import { key } from './sk-learn';",
    "const AKIAS = ['AKIA'];",
    "const sha = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';",
    '-----BEGIN PUBLIC KEY-----',
    "const prefix = 'ghp_'; // 36 characters follow",
    "headers.set('Authorization', `Bearer ${token}`);",
    'const password = request.body.password;',
    'const password = await readPassword(prompt);',
    'password: process.env.DB_PASSWORD,',
    'DB_PASSWORD=${DB_PASSWORD}',
    'DB_PASSWORD=',
    'password = "changeme"',
    'password = "your-password-here1"',
    'password = "<password>"',
    'token = tokenizer.encode(text)',
    'const token = tokens[index];',
    'if (token.kind === "identifier") return token;',
    'token_file=/run/service/token',
    'label: t("auth.password.label")',
    'const secretName = "db-credentials";',
    'postgres://localhost:5432/app',
    'postgres://user:${PASSWORD}@localhost/app',
    'postgres://user:<password>@localhost/app',
    'https://example.com:8080/@scope/name',
    'git@github.com:owner/name.git',
    'class PasswordField extends Field {',
    'export function getUserPasswordFromStore(): string {',
  ];
  for (const line of all) assert.deepEqual(known(line), free, line);
});

test('a private key is for its own file alone, to its end, or as far as it looks like one', () => {
  for (const kind of ['', 'RSA ', 'OPENSSH ', 'EC ', 'ENCRYPTED ']) {
    const table: [lines: string[], known: boolean[]][] = [
      [['a', begin(kind), ...body, end(kind), 'b'], [true, false, false, false, false, true]],
      [['a', `k = "${begin(kind)}`, ...body, `${end(kind)}"`, 'b'], [true, false, false, false, false, true]],
      [['a', begin(kind), ...body], [true, false, false, false]],
      [['a', begin(kind), ...body, 'return value;', 'b'], [true, false, false, false, true, true]],
      [['a', `"key": "${begin(kind)}\\n${body.join('\\n')}\\n${end(kind)}\\n",`, 'b'], [true, false, true]],
      [['a', `# ${begin(kind)}`, ...body.map((line) => `# ${line}`), '', 'x = f(1)'], [true, false, false, false, false, true]],
      [['a', `+ "${begin(kind)}\\n"`, ...body.map((line) => `  + "${line}\\n"`), '}, 3);'], [true, false, false, false, true]],
    ]; // prettier-ignore
    for (const [text, expected] of table) assert.deepEqual(knownLines(text), expected, text.join('\n'));
  }
  const armoured = ['-----BEGIN PGP ', 'PRIVATE KEY BLOCK-----'].join('');
  assert.deepEqual(knownLines([armoured, '', 'lQOYBF8x', '=abcd', armoured.replace('BEGIN', 'END')]), [false, false, false, false, false]); // prettier-ignore
  // Code that knows what a key begins with is no key.
  assert.deepEqual(knownLines(['', `if (text.startsWith('${begin('')}')) {`, '  use(text);']), [true, false, true]);
});

test('of a secret of Kubernetes nothing is for others', () => {
  const text = 'apiVersion: v1\nkind: Secret\ndata:\n  user: YWRtaW4=\n';
  assert.equal(forOthers(text).text, '');
  assert.equal(forOthers(text.replace('Secret', 'ConfigMap')).text, text.replace('Secret', 'ConfigMap'));
});

test('the second name of a line is looked at, too, and values far from any name are not', () => {
  const far = `token of ${'x '.repeat(500)} 'q8Zk2Lw9XtPm4Rv7'`;
  assert.deepEqual(known("tokens(a); secret = 'q8Zk2Lw9XtPm4Rv7'"), held);
  assert.deepEqual(known(`{"token": "a", "b": "${'y'.repeat(700)}", "apiKey": "q8Zk2Lw9XtPm4Rv7"}`), held);
  assert.deepEqual(known(far), free);
});

test('the lines that stay are found again', () => {
  const text = `a\n${begin('')}\n${body.join('\n')}\n${end('')}\nb\nTOKEN=q8Zk2Lw9XtPm4Rv7\nc`;
  const { text: left, lineOf } = forOthers(text);
  assert.equal(left, 'a\nb\nc');
  assert.deepEqual([0, 1, 2, 5, 6, 7].map(lineOf), [0, undefined, undefined, 1, undefined, 2]);
});

test('texts that are made to be slow are not', () => {
  const pieces = [
    'a.',
    '-eyJ',
    'eyJ',
    '"',
    '"\\"',
    '\\',
    'password',
    'password"\\"',
    'x:/',
    'a://',
    'A1',
    'token=',
    ' ',
    '+',
    '-',
  ];
  const beginnings = [
    '',
    'password = "',
    `${begin('')}\n`,
    `${begin('').slice(0, -5)}`,
    'kind: Secret',
    'https://',
    'eyJ',
  ];
  for (const piece of pieces) {
    for (const beginning of beginnings) {
      const before = process.cpuUsage();
      knownLines(`${beginning}${piece.repeat(200_000 / piece.length)}(`.split('\n'));
      const { user } = process.cpuUsage(before);
      assert.ok(user < 1_000_000, `${beginning}${piece}…: ${(user / 1000).toFixed(0)} ms`);
    }
  }
});
