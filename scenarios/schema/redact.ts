import type { Plan } from './plan.js';

const hidden = '***';

/** The plan fit for logs and reports: header values and values in a url's query are hidden. */
export function redactPlan(plan: Plan): Plan {
  if (plan.target.kind !== 'url') return plan;
  const headers = Object.fromEntries(Object.keys(plan.target.headers).map((name) => [name, hidden]));
  return { ...plan, target: { ...plan.target, urls: plan.target.urls.map(redactUrl), headers } };
}

function redactUrl(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query) + url.slice(query).replaceAll(/([?&][^=&]*)=[^&]*/g, `$1=${hidden}`);
}
