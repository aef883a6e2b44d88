import { problemAt } from '../problem.js';
import { knownSchemes } from '../transports.js';
import { isAllowedHost } from './allowed-host.js';
import type { Report } from './context.js';
import type { Written } from './target.js';

/** The url, normalised; undefined when it cannot or must not be loaded, which is reported. */
export function checkUrl(url: Written, allowed: readonly string[], refuse: Report): string | undefined {
  const { at, path, text } = url;
  const example = 'such as http://localhost:3000/mcp';
  if (!URL.canParse(text)) {
    refuse(problemAt(at, 'INVALID_VALUE', path, `\`${text}\` is not a url`, example));
    return undefined;
  }
  const parsed = new URL(text);
  if (!knownSchemes().includes(parsed.protocol)) {
    refuse(
      problemAt(
        at,
        'INVALID_VALUE',
        path,
        `\`${parsed.protocol}\` cannot be used: transports run over ${knownSchemes().join(' ')}`,
        example,
      ),
    );
    return undefined;
  }
  if (parsed.protocol === 'tcp:') return checkTcp(url, parsed, allowed, refuse);
  if (parsed.username !== '' || parsed.password !== '') {
    refuse(
      problemAt(
        at,
        'INVALID_VALUE',
        path,
        'a url with a user name or password in it',
        "use --header 'Authorization: ...' instead",
      ),
    );
    return undefined;
  }
  if (!checkHost(url, parsed.hostname, allowed, refuse)) return undefined;
  parsed.hash = '';
  return parsed.href;
}

/**
 * A host and a port is all there is to it. Its host is read as that of a web address is, which knows all ways to write
 * one.
 */
function checkTcp(
  url: Written,
  { port, host, href }: URL,
  allowed: readonly string[],
  refuse: Report,
): string | undefined {
  const { at, path, text } = url;
  const web = `http://${host}/`;
  if (!URL.canParse(web) || port === '' || !/^tcp:\/\/[^/?#@]+\/?$/.test(href)) {
    refuse(
      problemAt(at, 'INVALID_VALUE', path, `\`${text}\` is not a host and a port`, 'such as tcp://localhost:5555'),
    );
    return undefined;
  }
  const { hostname } = new URL(web);
  return checkHost(url, hostname, allowed, refuse) ? `tcp://${hostname}:${port}` : undefined;
}

function checkHost({ at, path }: Written, hostname: string, allowed: readonly string[], refuse: Report): boolean {
  if (isAllowedHost(hostname, allowed)) return true;
  const message = `${hostname} is neither this machine nor in a private network: load is not sent there unasked`;
  refuse(problemAt(at, 'TARGET_NOT_ALLOWED', path, message, `if you may put load on it: --allow-target ${hostname}`));
  return false;
}
