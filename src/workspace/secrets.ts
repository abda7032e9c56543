/** A private key as PEM (RFC 7468), to its end or the end of the text. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** Credentials that are known by their form: those whose issuers gave them a prefix so that they can be found. */
const CREDENTIAL = new RegExp(
  [
    /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, // AWS
    /\bgh[pousr]_[0-9A-Za-z]{36}/,
    /\bgithub_pat_\w{22}/,
    /\bglpat-[\w-]{20}/, // GitLab
    /\bnpm_[0-9A-Za-z]{36}/,
    /\bpypi-[\w-]{50}/,
    /\bxox[abeoprs]-[0-9A-Za-z-]{10}/, // Slack
    /\bAIza[\w-]{35}/, // Google
    /\b[rs]k_live_[0-9A-Za-z]{16}/, // Stripe
    /\bsk-(?:ant-|proj-)?[\w-]{32}/, // OpenAI, Anthropic
    /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10}/, // JSON Web Token
  ]
    .map(({ source }) => source)
    .join('|'),
);

/** A text without the lines in which a credential or a private key stands that is known by its form. */
export function withoutSecrets(text: string): string {
  const rest = text.replace(PRIVATE_KEY, '');
  if (!CREDENTIAL.test(rest)) return rest;
  return rest
    .split('\n')
    .filter((line) => !CREDENTIAL.test(line))
    .join('\n');
}
