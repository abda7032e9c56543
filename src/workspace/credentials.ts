/** Credentials in a line of text: such as are known by their form, and values that look random under a name that says so. */

/** Credentials whose issuers gave them a form by which they can be found. */
const FORMS = [
  /\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b/, // AWS
  /\bgh[pousr]_[0-9A-Za-z]{36}/,
  /\bgithub_pat_\w{22}/,
  /\bgl(?:pat|dt|rt|cbt|ptt|ft|oas|soat|imt|agent)-[\w-]{20}/, // GitLab
  /\bnpm_[0-9A-Za-z]{36}/,
  /\bpypi-[\w-]{50}/,
  /\brubygems_[0-9a-f]{48}/,
  /\bcio[0-9A-Za-z]{32}\b/, // Cargo
  /\bdckr_[op]at_[\w-]{20}/, // Docker
  /\bhf_[0-9A-Za-z]{30}/, // Hugging Face
  /\bx(?:ox[abeoprs]|app)-[0-9A-Za-z-]{10}/, // Slack
  /hooks\.slack\.com\/(?:services|workflows)\/\w+\/\w+/,
  /discord(?:app)?\.com\/api\/webhooks\/\d+\/[\w-]+/,
  /\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27}/, // Discord
  /\b\d{8,10}:AA[\w-]{33}/, // Telegram
  /\bAIza[\w-]{35}/, // Google
  /\bya29\.[\w-]{20}/,
  /\bGOCSPX-[\w-]{20}/,
  /\b(?:[rs]k_(?:live|test)_|whsec_)[0-9A-Za-z]{16}/, // Stripe
  /\bsq0(?:atp|csp)-[\w-]{22}/, // Square
  /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/, // Shopify
  /\bsk-(?:ant-|proj-|or-)?[\w-]{32}/, // OpenAI, Anthropic
  /\b(?:gsk|xai|pplx|r8)[_-][0-9A-Za-z]{36}/,
  /\bSG\.[\w-]{16,80}\.[\w-]{16}/, // SendGrid
  /\bSK[0-9a-f]{32}\b/, // Twilio
  /\bkey-[0-9a-f]{32}\b/, // Mailgun
  /\bdo[opr]_v1_[0-9a-f]{64}/, // DigitalOcean
  /\bdapi[0-9a-f]{32}/, // Databricks
  /\bATATT3[\w=-]{50}/, // Atlassian
  /\b(?:lin_api|lin_oauth)_[0-9A-Za-z]{32}/, // Linear
  /\b(?:ntn_|secret_)[0-9A-Za-z]{40}/, // Notion
  /\bgl(?:sa|c)_[\w=-]{30}/, // Grafana
  /\bNRAK-[0-9A-Z]{27}/, // New Relic
  /\bPMAK-[0-9a-f]{24}/, // Postman
  /\bsntr[ysu]+_[\w+/=]{40}/, // Sentry
  /\bsbp_[0-9a-f]{40}/, // Supabase
  /\bpscale_(?:tkn|pw|oauth)_[\w.-]{32}/, // PlanetScale
  /\bdp\.(?:pt|st|ct|sa)\.[\w.-]{40}/, // Doppler
  /\bfigd_[\w-]{40}/, // Figma
  /\bnfp_[0-9A-Za-z]{36}/, // Netlify
  /\bhv[sbr]\.[\w-]{24}/, // Vault
  /\b\w{14}\.atlasv1\.[\w=-]{60}/, // Terraform
  /\bAGE-SECRET-KEY-1[0-9A-Z]{50}/,
  /\b(?:AccountKey|SharedAccessKey)=[\w+/]{40,}={0,2}/, // Azure
  /[?&;]sig=[\w%+/-]{40}/,
  /\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10}/, // JSON Web Token
];

/** Addresses with a password, or a token in place of a name; what a variable stands in for is none. */
const ADDRESSES = [
  /\b[a-z][a-z\d+.-]{1,20}:\/\/[^\s/:@'"`<>{}$]*:(?![$<{%*]|x{3})[^\s/@'"`<>{}]+@[\w[]/i,
  /\b[a-z][a-z\d+.-]{1,20}:\/\/(?=[\w-]*\d)[\w-]{20,200}@[\w[]/i,
];

const FORM = new RegExp(FORMS.map(({ source }) => source).join('|'));
const ADDRESS = new RegExp(ADDRESSES.map(({ source }) => source).join('|'), 'i');

/** A name under which credentials stand. Of a password people choose, more is held for one. */
const NAMES =
  /(passw(?:or)?d|passphrase|passcode|pwd)|secret|token|credential|(?:api|access|account|private|encryption|signing|auth|session|license|master|shared)[-_. ]?key|authorization|bearer|cookie|dsn\b|connection[-_ ]?string/gi;

/** What stands for a value that is not there. */
const PLACEHOLDER =
  /^[<$%{[*]|^(?:your|my|the|some|an?|insert|enter|replace|change|todo|fixme)[-_ ]|x{4}|\.{3}|\*{3}|\$\{|\{\{/i;

/** How a value that authorizes somebody begins. */
const SCHEME = /^(?:Basic|Bearer|Token|ApiKey)\s+/i;

/** Text between quotes, and words outside of them. */
const VALUE = /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`|[^\s"'`,;()<>[\]{}]+/g;

/** Letters or digits that go together: in words they are long, in random texts short. */
const PIECE = /[A-Z]?[a-z]+|[A-Z]+|\d+|[^\w./:\\-]/g;

/** The text in which a value stands: so much before the name, so much after it begins. */
const BEFORE = 100;
const AFTER = 600;

/** A line with more names than these is data. */
const MAX_NAMES = 200;

/** Whether a line holds a credential. */
export function holdsCredential(line: string): boolean {
  if (FORM.test(line) || ADDRESS.test(line)) return true;
  let names = 0;
  for (const { 1: chosen, index } of line.matchAll(NAMES)) {
    if (++names > MAX_NAMES) return true;
    const from = Math.max(0, index - BEFORE);
    if (holdsValue(line.slice(from, index + AFTER), index - from, chosen !== undefined)) return true;
  }
  return false;
}

/**
 * Whether a value that looks random stands behind a name.
 * @param chosen whether people choose such values
 */
function holdsValue(text: string, name: number, chosen: boolean): boolean {
  for (const { 0: whole, 1: double, 2: single, 3: back, index } of text.matchAll(VALUE)) {
    const end = index + whole.length;
    if (end <= name) continue;
    const quoted = double ?? single ?? back;
    // A text in which the name stands may go on with the value: "Server=db;Password=…".
    const inside = quoted === undefined || index < name;
    const values = inside ? assigned(text.slice(Math.max(index, name), end)) : [quoted];
    if (values.some((value) => looksRandom(value, chosen ? 4 : quoted === undefined ? 2.5 : 3))) return true;
  }
  return false;
}

/** What a word assigns, and the word itself. */
function assigned(text: string): string[] {
  const parts = text.replace(/^["'`]|["'`]$/g, '').split(/[=:;&?,\s]+/);
  return parts.length > 1 ? parts.slice(1) : parts;
}

/**
 * Whether a text looks as if a machine, or somebody who chose a password, had made it: letters and something else in turns,
 * and few of them twice.
 * @param max mean length of its pieces at most
 */
export function looksRandom(text: string, max: number): boolean {
  const value = text.replace(SCHEME, '');
  if (value.length < 8 || value.length > 4096 || /\s/.test(value) || PLACEHOLDER.test(value)) return false;
  const pieces = value.match(PIECE) ?? [];
  const mixed = /[A-Za-z]/.test(value) && /[^A-Za-z./:\\_-]/.test(value);
  // Letters alone are a word, however they are written, unless they change their case like no word.
  if (!mixed && (pieces.length < 8 || !/[a-z]/.test(value))) return false;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return length <= max * pieces.length && entropy(value) >= 2.5;
}

/** Shannon entropy of the characters of a text, in bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}
