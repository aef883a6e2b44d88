/** An endpoint as it may be logged: values in its query and credentials can be secrets. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.username = parsed.username && '***';
  parsed.password = parsed.password && '***';
  for (const name of new Set(parsed.searchParams.keys())) parsed.searchParams.set(name, '***');
  return parsed.href;
}
