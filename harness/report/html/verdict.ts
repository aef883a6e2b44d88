/** The first screen of the page: which run it was, the verdict and its reasons, and the key figures. */
import type { Report } from '../schema.js';
import { quantileOf, shownQuantiles } from '../sections/shared/fields.js';
import { beside, count, duration, ms, rate, share } from '../values.js';
import { type Fragment, html, type Markup } from './markup.js';

type Kind = Report['verdict']['kind'];

const meanings: Readonly<Record<Kind, string>> = {
  passed: 'The load was delivered and the measurement can be trusted.',
  failed: 'The measurement can be trusted, and a threshold is broken.',
  invalid: 'The measurement cannot be trusted; its numbers say little about the target.',
  incomplete: 'The run did not reach its end, or part of its data is missing.',
};

/** The shapes differ, not only the colours. */
const icons: Readonly<Record<Kind, Markup>> = {
  passed: html`<circle cx="12" cy="12" r="10" fill="none" stroke="currentColor" stroke-width="2"/>
<path d="M7 12.5l3.4 3.4L17 9" fill="none" stroke="currentColor" stroke-width="2.2"
  stroke-linecap="round" stroke-linejoin="round"/>`,
  failed: html`<rect x="3" y="3" width="18" height="18" rx="3" fill="none" stroke="currentColor" stroke-width="2"/>
<path d="M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,
  invalid: html`<path d="M12 3L22 20.5H2Z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/>
<path d="M12 9.5v5M12 17.4v.2" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,
  incomplete: html`<circle cx="12" cy="12" r="10" fill="none" stroke="currentColor" stroke-width="2"
  stroke-dasharray="4.2 3.2"/>
<path d="M8 12h8" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,
};

export function masthead({ run }: Report): Markup {
  return html`
<h1>${run.scenario}</h1>
<p class="meta">${[
    run.description,
    run.startedAt === null ? '' : `${run.startedAt.slice(0, 19).replace('T', ' ')} UTC`,
    duration(run.durationSeconds),
    `seed ${run.seed}`,
    `run ${run.id}`,
  ]
    .filter((part) => part !== '')
    .map((part) => html`<span>${part}</span>`)}</p>`;
}

export function verdictSection(report: Report): Markup {
  const {
    verdict: { kind, reasons },
    notes,
  } = report;
  return html`
<section class="verdict ${kind}" id="verdict" aria-label="Verdict">
<h2><svg viewBox="0 0 24 24" aria-hidden="true">${icons[kind]}</svg>${kind}</h2>
<p class="means">${meanings[kind]} ${kind === 'passed' ? thresholdsHeld(report) : ''}</p>
${reasons.length === 0 ? '' : html`<ul>${reasons.map(listItem)}</ul>`}
</section>
${notes.length === 0 ? '' : html`<ul class="notes" aria-label="Notes">${notes.map(listItem)}</ul>`}
${report.timeline.length === 0 ? '' : keyFigures(report)}`;
}

function listItem(text: string): Markup {
  return html`<li>${text}</li>`;
}

function thresholdsHeld({ thresholds }: Report): string {
  if (thresholds.length === 0) return 'The scenario has no thresholds.';
  return thresholds.length === 1 ? 'Its threshold held.' : `All ${thresholds.length} thresholds held.`;
}

function keyFigures({ summary }: Report): Markup {
  const { latencyMs: latency, latencyFloorMs: floor, serviceMs: service, sessions } = summary;
  const below = (value: number | null, ofService: number | null, ofFloor: number | null | undefined): string =>
    `service time ${ms(ofService)}${beside(value, ofFloor)}`;
  const errors = summary.failed - summary.byUs + summary.lost;
  const entries: readonly (readonly [term: string, value: Fragment, beneath: string])[] = [
    ['Throughput', rate(summary.throughputPerSecond), `${rate(summary.offeredPerSecond)} offered`],
    ['Delivered', share(summary.deliveredRatio), `${count(summary.sent)} of ${count(summary.offered)} due`],
    ['Errors', share(summary.errorRate), `${count(errors)} of ${count(summary.sent)} sent`],
    ['Sessions at once', count(sessions.peak), `${count(sessions.lost)} lost`],
    ...shownQuantiles(latency).map(
      ([name, value]) =>
        [
          `Latency ${name}`,
          ms(value),
          below(value, quantileOf(service, name), floor === undefined ? undefined : quantileOf(floor, name)),
        ] as const,
    ),
    ['Latency max', ms(latency.max), below(latency.max, service.max, floor?.max)],
  ];
  return html`<dl class="figures">${entries.map(
    ([term, value, beneath]) => html`<div><dt>${term}</dt><dd>${value}<small>${beneath}</small></dd></div>`,
  )}</dl>`;
}
