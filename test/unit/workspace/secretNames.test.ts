import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSecretFile } from '../../../src/workspace/secrets';

const secret: Record<string, string> = {
  environments: '.env .env.local .env.production .env.ts .ENV prod.env app.env.bak .envrc .dev.vars .flaskenv',
  'copies of them': '.env~ .env.bak .env.swp .env.1 #.env# .#.env id_rsa.old credentials.json.orig',
  keys: 'id_rsa id_ed25519 id_ecdsa_sk id_rsa.pub server.pem server.key master.key AuthKey_1.p8 store.p12 store.pfx putty.ppk',
  certificates: 'server.crt ca.cer server.cert a.der a.csr chain.p7b',
  stores: 'a.jks a.keystore a.truststore a.keytab Passwords.kdbx login.keychain a.gpg a.asc vpn.ovpn',
  infrastructure:
    'prod.tfvars prod.auto.tfvars prod.tfvars.json terraform.tfstate terraform.tfstate.backup kubeconfig prod.kubeconfig',
  'tools that sign in':
    '.netrc _netrc .npmrc .yarnrc.yml .pypirc .git-credentials .dockercfg .pgpass .my.cnf .s3cfg .htpasswd auth.json token.json',
  words:
    'credentials credentials.json credentials.yml.enc credentialsprod.json db-credentials.yml secrets.yml secrets.ts secret.js my-secret.py',
  'more words':
    'client_secret_123.json passwords.txt private_key.go api-keys.json service-account.json creds.ini access_key.csv',
  'words with humps, of data': 'dbCredentials.json clientSecret.yaml serviceAccountKey.json apiKeys.properties',
};
const open =
  'a.ts key.ts keyboard.py environment.go env.d.ts vite-env.d.ts tokenizer.rs Secretary.java tokens.ts package.json settings.json ' +
  'PasswordField.tsx secretary.json keymap.json publickey.ts README.md Dockerfile Makefile environment.prod.ts authorize.py config.yaml';

for (const [kind, names] of Object.entries(secret)) {
  test(`named like a secret: ${kind}`, () => {
    for (const name of names.split(' ')) {
      for (const path of [name, `/w/src/${name}`, `c:\\w\\${name}`]) assert.equal(isSecretFile(path), true, path);
    }
  });
}

test('named like a secret: by the folder', () => {
  const inside =
    '/home/me/.ssh/config /home/me/.aws/config .kube/config /w/.docker/config.json /w/secrets/db.yaml /run/secrets/db';
  for (const path of inside.split(' ')) assert.equal(isSecretFile(path), true, path);
});

test('named like a secret: by the language, whatever the name', () => {
  assert.equal(isSecretFile('Untitled-1', 'dotenv'), true);
  assert.equal(isSecretFile('Untitled-1', 'typescript'), false);
});

test('other names are not', () => {
  for (const name of open.split(' ')) assert.equal(isSecretFile(`/w/src/${name}`), false, name);
});
