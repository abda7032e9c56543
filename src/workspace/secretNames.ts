/** Which files may hold secrets, by their names alone. */

/** Names of files, as they are. */
const NAMES = new Set(
  [
    // Environments.
    '.env .envrc .flaskenv .dev.vars',
    // Registries and tools that sign in.
    '.netrc _netrc .npmrc .yarnrc .yarnrc.yml .pypirc .condarc .dockercfg .docker.json .gitcookies .git-credentials',
    '.htpasswd .htdigest .pgpass pgpass.conf .my.cnf .mylogin.cnf .s3cfg .boto .passwd-s3fs .vault-token .terraformrc',
    'terraform.rc rclone.conf nuget.config auth.json hosts.yml settings-security.xml local.settings.json .smbcredentials',
    // Clusters and clouds.
    'kubeconfig .kubeconfig google-services.json googleservice-info.plist',
    // Shells, whose histories hold what was typed.
    '.bash_history .zsh_history .psql_history .mysql_history .python_history .node_repl_history .rediscli_history',
    'shadow token.json',
  ].flatMap((names) => names.split(' ')),
);

/** Endings of keys, certificates, stores of passwords and states that hold what they were made with. */
const ENDINGS = new RegExp(
  `\\.(?:${[
    'env',
    'pem key p8 p12 pfx ppk jks jceks bks keystore truststore keychain keytab asc gpg pgp',
    'crt cer cert der csr p7b p7c p7s',
    'kdb kdbx agilekeychain opvault psafe3 ovpn rdp mobileprovision publishsettings',
    'tfvars tfstate kubeconfig htpasswd',
  ]
    .flatMap((endings) => endings.split(' '))
    .join('|')})(?:\\.|$)`,
);

/** Words of a name, with what may stand between two of them. */
const WORDS =
  /^\.env(?:\W|_|$)|^credentials|^id_(?:rsa|dsa|ecdsa|ed25519)|(?:^|[-_. ])(?:secrets?|credentials?|creds|passwords?|passwd|private[-_. ]?keys?|api[-_. ]?keys?|access[-_. ]?keys?|service[-_. ]?account|client[-_. ]secret)(?:[-_. ]|\d|$)/;

/** Files of data: what looks like one word there (`dbCredentials.json`) is as many as it has humps. */
const DATA = /^[^.]*$|\.(?:json|jsonc|json5|ya?ml|xml|txt|ini|toml|properties|conf|cfg|config|csv|plist|env)$/i;

/** Folders in which everything may be secret. */
const FOLDERS = /^\.(?:ssh|gnupg|aws|azure|kube|docker|gcloud|password-store|secrets)$|^secrets$/;

/** What editors and people add to the name of a copy. */
const COPY = /(?:~|#| copy(?: \d+)?|\.(?:bak|old|orig|save|swp|swo|tmp|backup|copy|disabled|\d+))+$/;

/** Languages of files that hold secrets, whatever they are called. */
const LANGUAGES = new Set(['dotenv', 'env']);

/** Whether everything in a folder may be secret, by its name. */
export function isSecretFolder(name: string): boolean {
  return FOLDERS.test(name.toLowerCase());
}

/**
 * Whether a file may hold secrets, by its name and the folders it lies in: then nothing of it is for other files.
 * @param path with slashes, absolute or not
 * @param language its identifier, where it is known
 */
export function isSecretFile(path: string, language = ''): boolean {
  if (LANGUAGES.has(language)) return true;
  const folders = path.split(/[\\/]/);
  const name = (folders.pop() ?? '').replace(/^(?:\.#|#)/, '');
  if (folders.some(isSecretFolder)) return true;
  const original = name.replace(COPY, '');
  const words = DATA.test(original) ? original.replace(/([a-z0-9])([A-Z])/g, '$1-$2') : original;
  const lower = original.toLowerCase();
  return NAMES.has(lower) || ENDINGS.test(lower) || WORDS.test(words.toLowerCase());
}
