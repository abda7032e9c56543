import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from '../../../src/workspace/secrets';

// Put together here, so that no scanner of repositories takes them for real ones.
const token = (prefix: string, length: number) => prefix + 'aB3dE5fG7h'.repeat(10).slice(0, length);
const key = (kind: string) =>
  ['-----BEGIN ', `${kind}PRIVATE KEY-----\n`, 'MIIEpAIBAAKC\nq83vEjRWeJ\n', '-----END ', `${kind}PRIVATE KEY-----`].join(''); // prettier-ignore

const secrets: Record<string, string> = {
  'an AWS key': `AKIA${'3X7PQ9WZTL5RBM2N'}`,
  'a GitHub token': token('ghp_', 36),
  'a fine-grained GitHub token': token('github_pat_', 40),
  'a GitLab token': token('glpat-', 20),
  'an npm token': token('npm_', 36),
  'a PyPI token': token('pypi-', 60),
  'a Slack token': token('xoxb-', 24),
  'a Google key': token('AIza', 35),
  'a Stripe key': token('sk_live_', 24),
  'a key of a model service': token('sk-proj-', 48),
  'a JSON Web Token': `${token('eyJ', 20)}.${token('eyJ', 20)}.${token('', 20)}`,
};

for (const [name, secret] of Object.entries(secrets)) {
  test(`${name}: its line is left out, and no other`, () => {
    const text = `const a = 1;\nconst key = '${secret}'; // keep\nconst b = 2;\n`;
    assert.equal(withoutSecrets(text), 'const a = 1;\nconst b = 2;\n');
  });
}

test('a private key is left out to its end, also where that is missing', () => {
  for (const kind of ['', 'RSA ', 'OPENSSH ']) {
    assert.equal(withoutSecrets(`a = """${key(kind)}"""\nb = 2\n`), 'a = """"""\nb = 2\n');
  }
  assert.doesNotMatch(withoutSecrets(`x\n${key('').slice(0, 60)}`), /MII/);
});

test('what only looks like it a little stays: names, hashes, public keys, short samples', () => {
  const text = [
    "import { key } from './sk-learn';",
    "const AKIAS = ['AKIA'];",
    "const sha = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';",
    '-----BEGIN PUBLIC KEY-----',
    "const prefix = 'ghp_'; // 36 characters follow",
    "headers.set('Authorization', `Bearer ${token}`);",
    '',
  ].join('\n');
  assert.equal(withoutSecrets(text), text);
});
