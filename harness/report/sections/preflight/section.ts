import { z } from 'zod';
import type { RunFacts } from '../../../analysis/facts/run-facts.js';
import { html, type Markup } from '../../html/markup.js';
import { clip } from '../../tidy.js';
import type { ReportSection, SectionData } from '../report-section.js';

const schema = {
  preflight: z
    .strictObject({
      ok: z.boolean(),
      problem: z.string().optional(),
      exchanges: z.array(
        z.strictObject({
          step: z.string(),
          request: z.string(),
          response: z.string(),
          durationMs: z.number(),
          ok: z.boolean(),
          problem: z.string().optional(),
        }),
      ),
    })
    .nullable(),
};
type Preflight = SectionData<typeof schema>['preflight'];
type Exchange = NonNullable<Preflight>['exchanges'][number];

/** On the page only when preflight failed. */
export const preflight = {
  id: 'preflight',
  title: 'Preflight',
  unlisted: true,
  schema,
  build: ({ facts }) => ({ preflight: build(facts) }),
  when: ({ preflight }) => preflight !== null && !preflight.ok,
  html: ({ preflight }) => html`<p>${preflight?.problem ?? ''}</p>
<div class="stack">${(preflight?.exchanges ?? []).map(exchange)}</div>`,
} satisfies ReportSection<typeof schema>;

const exchangeLimit = 2048;

function build({ preflight }: RunFacts): Preflight {
  if (preflight.kind === 'none') return null;
  return {
    ok: preflight.kind === 'passed',
    ...(preflight.kind === 'failed' ? { problem: preflight.problem } : {}),
    exchanges: preflight.exchanges.map(({ step, request, response, durationMs, ok, problem }) => ({
      step,
      request: clip(request, exchangeLimit),
      response: clip(response, exchangeLimit),
      durationMs,
      ok,
      ...(problem === undefined ? {} : { problem }),
    })),
  };
}

function exchange({ step, request, response, durationMs, ok, problem }: Exchange): Markup {
  const title = html`<h3>${ok ? '✓' : '✗'} ${step} <span class="quiet">${durationMs.toFixed(1)} ms</span></h3>`;
  const reason = problem === undefined ? '' : html`<p class="bad">${problem}</p>`;
  return html`<div>${title}
${reason}<p class="note">Request</p><pre tabindex="0">${request}</pre>
<p class="note">Response</p><pre tabindex="0">${response}</pre></div>`;
}
