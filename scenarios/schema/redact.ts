import type { Plan, TargetPlan, TlsPlan, TruthPlan, UpstreamsPlan } from './plan.js';

const hidden = '***';

/** The plan for logs and reports: without values of headers and of url queries, without keys and tokens. */
export function redactPlan(plan: Plan): Plan {
  return {
    ...plan,
    target: redactTarget(plan.target),
    ...redactTruth(plan),
    ...(plan.upstreams === undefined ? {} : { upstreams: redactUpstreams(plan.upstreams) }),
    ...(plan.arms === undefined
      ? {}
      : { arms: plan.arms.map((arm) => ({ ...arm, target: redactTarget(arm.target), ...redactTruth(arm) })) }),
  };
}

function redactTruth({ truth }: { readonly truth?: TruthPlan }): { readonly truth?: TruthPlan } {
  return truth === undefined ? {} : { truth: { ...truth, url: shownUrl(truth.url) } };
}

function redactUpstreams(upstreams: UpstreamsPlan): UpstreamsPlan {
  const { prepare } = upstreams;
  if (prepare.kind === 'command') return upstreams;
  const { body, headers, ...call } = prepare;
  return {
    ...upstreams,
    prepare: {
      ...call,
      url: shownUrl(prepare.url),
      headers: Object.fromEntries(Object.keys(headers).map((name) => [name, hidden])),
      ...(body === undefined ? {} : { body: hidden }),
    },
  };
}

function redactTarget(target: TargetPlan): TargetPlan {
  if (target.kind === 'command') {
    const { env, writtenCommand, ...server } = target.server;
    return {
      ...target,
      server: {
        ...server,
        ...(writtenCommand === undefined ? {} : { command: writtenCommand }),
        env: Object.fromEntries(Object.keys(env).map((name) => [name, hidden])),
      },
    };
  }
  if (target.kind !== 'url') return target;
  const { tls, tokens } = target;
  return {
    ...target,
    urls: target.urls.map(shownUrl),
    headers: Object.fromEntries(Object.keys(target.headers).map((name) => [name, hidden])),
    ...(tls === undefined ? {} : { tls: redactTls(tls) }),
    ...(tokens === undefined ? {} : { tokens: tokens.map(() => hidden) }),
  };
}

/** Certificates are not secret, but too long to be worth showing. */
function redactTls(tls: TlsPlan): TlsPlan {
  return {
    insecure: tls.insecure,
    ...Object.fromEntries(
      (['ca', 'cert', 'key'] as const).filter((key) => tls[key] !== undefined).map((key) => [key, hidden]),
    ),
  };
}

/** Scheme, user information, host and path, query, fragment. */
const URL_PARTS = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?([^?#]*)(\?[^#]*)?(#.*)?$/is;

/**
 * A URL as people may see it, in messages, logs and reports: all of them take it from here. User information and the
 * values of the query can be secrets; names stay, so that one sees what was sent.
 */
export function shownUrl(url: string): string {
  const parts = URL_PARTS.exec(url);
  if (parts === null) return url.includes('?') ? `${url.slice(0, url.indexOf('?'))}?${hidden}` : url;
  const [, scheme = '', user, place = '', query = '', fragment] = parts;
  return [
    scheme,
    user === undefined ? '' : `${hidden}@`,
    place,
    shownQuery(query),
    fragment === undefined ? '' : `#${hidden}`,
  ].join('');
}

function shownQuery(query: string): string {
  if (query.length < 2) return query;
  // One word alone may be a key.
  if (!query.includes('=')) return `?${hidden}`;
  return query.replaceAll(/([?&;][^=&;]*)=[^&;]*/g, `$1=${hidden}`);
}

/** The parts of a URL that `shownUrl` hides, as they stand in it and decoded. */
export function secretsOfUrl(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  const { username, password, search, searchParams } = new URL(url);
  const inQuery = search.slice(1).split(/[&;]/);
  const written = search.includes('=')
    ? inQuery.map((pair) => pair.slice(pair.indexOf('=') + 1 || pair.length))
    : inQuery;
  return [...new Set([username, password, ...written, ...searchParams.values()])].filter((part) => part !== '');
}
