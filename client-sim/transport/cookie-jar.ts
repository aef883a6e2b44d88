/**
 * The cookies of one session, as the server or the gateway in front of it set them last (RFC 6265, 5.2). All requests
 * of a session go to one URL, and the session ends before a cookie expires, so the only attributes that matter are
 * those that delete a cookie.
 */
export class CookieJar {
  private readonly cookies = new Map<string, string>();

  /** @param setCookie values of `set-cookie` headers, one per line @returns whether anything changed */
  keep(setCookie: string): boolean {
    const before = this.header;
    for (const line of setCookie.split('\n')) {
      const [pair = '', ...attributes] = line.split(';');
      const equals = pair.indexOf('=');
      const name = pair.slice(0, Math.max(0, equals)).trim();
      const value = pair.slice(equals + 1).trim();
      if (name === '' || !/^[\x21-\x7e]*$/.test(name + value)) continue;
      if (attributes.some(deletesCookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return this.header !== before;
  }

  /** For the `cookie` header; undefined when there is none to send. */
  get header(): string | undefined {
    return this.cookies.size === 0
      ? undefined
      : [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

function deletesCookie(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=').map((part) => part.trim());
  if (/^max-age$/i.test(name)) return /^(?:0+|-\d+)$/.test(value);
  return /^expires$/i.test(name) && Date.parse(value.replaceAll('-', ' ')) < Date.now();
}
