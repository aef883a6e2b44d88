import type { Plan, TlsPlan } from './plan.js';

const hidden = '***';

/** The plan for logs and reports: without values of headers and of url queries, without keys and tokens. */
export function redactPlan(plan: Plan): Plan {
  if (plan.target.kind === 'command') {
    const { env, ...server } = plan.target.server;
    return {
      ...plan,
      target: {
        ...plan.target,
        server: { ...server, env: Object.fromEntries(Object.keys(env).map((name) => [name, hidden])) },
      },
    };
  }
  if (plan.target.kind !== 'url') return plan;
  const headers = Object.fromEntries(Object.keys(plan.target.headers).map((name) => [name, hidden]));
  const { tls, tokens } = plan.target;
  const target = {
    ...plan.target,
    urls: plan.target.urls.map(redactUrl),
    headers,
    ...(tls === undefined ? {} : { tls: redactTls(tls) }),
    ...(tokens === undefined ? {} : { tokens: tokens.map(() => hidden) }),
  };
  return { ...plan, target };
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

function redactUrl(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query) + url.slice(query).replaceAll(/([?&][^=&]*)=[^&]*/g, `$1=${hidden}`);
}
