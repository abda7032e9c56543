/** Whether a host is this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * The address below which `/completions` and `/models` are, without a slash at its end; undefined for what text must not be
 * sent to: anything but https, or http of this machine, and whatever has a user, a query or a fragment.
 */
export function endpointBase(given: string): string | undefined {
  if (!URL.canParse(given)) return undefined;
  const { protocol, hostname, username, password, search, hash, origin, pathname } = new URL(given);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopbackHost(hostname))) return undefined;
  if ([username, password, search, hash].some((part) => part !== '')) return undefined;
  return origin + pathname.replace(/\/+$/, '').replace(/\/completions$/, '');
}
