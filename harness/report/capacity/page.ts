/** `capacity.html`: one file, no script, nothing fetched; it links to the reports of the runs beside it. */
import { predict } from '../../analysis/capacity/usl.js';
import { formatMs, significant } from '../../analysis/format.js';
import { head } from '../html/head.js';
import { html, type Markup } from '../html/markup.js';
import { table } from '../html/table.js';
import { xyChart } from '../svg/xy-chart.js';
import type { CapacityDocument, ProbeRecord } from './document.js';

const kinds = {
  converged: 'passed',
  most: 'passed',
  generator: 'invalid',
  probes: 'incomplete',
  'nothing-met': 'failed',
  interrupted: 'incomplete',
} as const satisfies Record<CapacityDocument['capacity']['end'], string>;

export function renderCapacity(document: CapacityDocument): string {
  return html`${head(`${document.scenario}: capacity`)}
<body>
<a class="skip" href="#verdict">Skip to the result</a>
<header>
<h1>${document.scenario}</h1>
<p class="meta">${about(document).map((part) => html`<span>${part}</span>`)}</p>
</header>
<main>
<section class="verdict ${kinds[document.capacity.end]}" id="verdict" aria-label="Result">
<h2>Capacity</h2>
<p class="means">${document.capacity.words}</p>
<ul>${document.thresholds.map((check) => html`<li>A rate must meet ${check}</li>`)}</ul>
</section>
${document.probes.length === 0 ? html`<p class="empty">No run was made.</p>` : charts(document)}
<h2 id="runs">Runs</h2>
${table(
  'In the order they were made',
  [
    { head: 'Run', cell: (probe: ProbeRecord) => html`<a href="../${probe.runId}/report.html">${probe.runId}</a>` },
    { head: 'Purpose', cell: ({ purpose }) => purpose },
    { head: 'Requested', cell: ({ askedPerSecond }) => perSecond(askedPerSecond) },
    { head: 'Offered', cell: ({ offeredPerSecond }) => perSecond(offeredPerSecond) },
    { head: 'Delivered', cell: ({ deliveredPerSecond }) => perSecond(deliveredPerSecond) },
    { head: 'Succeeded', cell: ({ throughputPerSecond }) => perSecond(throughputPerSecond) },
    { head: 'p99', cell: ({ p99Ms }) => (p99Ms === null ? 'none' : formatMs(p99Ms)) },
    { head: 'Result', cell: ({ outcome }) => outcomeText[outcome] },
    { head: 'Reasons', text: true, cell: ({ reasons }) => reasons.join(' · ') },
  ],
  document.probes,
)}
</main>
<footer>Rendered by swarmbench ${document.version} from capacity.json, which holds every number shown.
Command: ${document.command}</footer>
</body>
</html>
`.text;
}

const outcomeText = { met: 'met', unmet: 'not met', generator: 'generator at its limit' } as const satisfies Record<
  ProbeRecord['outcome'],
  string
>;

function charts(document: CapacityDocument): Markup {
  const { probes, capacity, kneePerSecond } = document;
  const trusted = probes.filter(({ outcome }) => outcome !== 'generator');
  const shown = trusted.length > 0 ? trusted : probes;
  const offered = shown.map(({ offeredPerSecond }) => offeredPerSecond);
  const marks = [
    ...(capacity.metPerSecond === null
      ? []
      : [{ x: capacity.metPerSecond, text: `met ${perSecond(capacity.metPerSecond)}` }]),
    ...(kneePerSecond === null ? [] : [{ x: kneePerSecond, text: `knee ${perSecond(kneePerSecond)}` }]),
  ];
  return html`
<h2 id="curve">Curve</h2>
${xyChart({
  id: 'delivered',
  title: 'Throughput against the rate offered',
  xFormat: perSecond,
  yFormat: perSecond,
  marks,
  caption: 'Each dot is a run. On the dashed line the target kept up.',
  description:
    `${shown.length} runs, from ${perSecond(Math.min(...offered))} ` + `to ${perSecond(Math.max(...offered))} offered.`,
  series: [
    {
      name: 'Succeeded',
      style: 's-main',
      dots: true,
      points: shown.map((probe) => ({ x: probe.offeredPerSecond, y: probe.throughputPerSecond })),
    },
    {
      name: 'Offered',
      style: 's-plain dashed',
      points: [{ x: 0, y: 0 }, ...shown.map((probe) => ({ x: probe.offeredPerSecond, y: probe.offeredPerSecond }))],
    },
  ],
})}
${xyChart({
  id: 'p99',
  title: 'Latency p99 against the rate offered',
  xFormat: perSecond,
  yFormat: formatMs,
  marks,
  logarithmicY: true,
  caption: 'From when each operation was due. Logarithmic scale.',
  description: 'Each dot is a run.',
  series: [
    {
      name: 'p99',
      style: 's-p99',
      dots: true,
      points: shown.flatMap((probe) => (probe.p99Ms === null ? [] : [{ x: probe.offeredPerSecond, y: probe.p99Ms }])),
    },
  ],
})}
${scalability(document, shown)}`;
}

function scalability({ scalability: fit }: CapacityDocument, probes: readonly ProbeRecord[]): Markup {
  if (fit === null)
    return html`<p class="empty">The Universal Scalability Law could not be fitted:
there were too few runs at different concurrency, or none of its curves fits them.</p>`;
  const points = probes.flatMap(({ throughputPerSecond, serviceMeanMs }) =>
    serviceMeanMs === null ? [] : [{ x: (throughputPerSecond * serviceMeanMs) / 1000, y: throughputPerSecond }],
  );
  const widest = Math.max(...points.map(({ x }) => x), 1);
  const curve = Array.from({ length: 100 }, (_, at) => ({
    x: ((at + 1) * widest) / 100,
    y: predict(fit, ((at + 1) * widest) / 100),
  })).filter(({ y }) => y > 0 && Number.isFinite(y));
  const [sigma, kappa] = [fit.sigma.toPrecision(3), fit.kappa.toPrecision(3)];
  const badly = fit.rSquared < 0.9 ? ' The curve fits badly, so do not rely on it.' : '';
  return xyChart({
    id: 'usl',
    title: 'Throughput against concurrency, and the Universal Scalability Law',
    xFormat: significant,
    yFormat: perSecond,
    caption: `Concurrency is throughput times mean service time. ${peakText(fit.peak, widest)}${badly}`,
    description:
      `sigma ${sigma}, kappa ${kappa}, lambda ${fit.lambda.toPrecision(3)} a second, ` +
      `R squared ${fit.rSquared.toFixed(3)}.`,
    series: [
      { name: 'Runs', style: 's-main', dots: true, points },
      {
        name: `Fit: sigma ${sigma}, kappa ${kappa}, R² ${fit.rSquared.toFixed(3)}`,
        style: 's-plain dashed',
        points: curve,
      },
    ],
  });
}

type Peak = NonNullable<CapacityDocument['scalability']>['peak'];

function peakText(peak: Peak, widest: number): string {
  if (peak === null) return 'The curve has no peak.';
  const { throughputPerSecond, concurrency, low, high } = peak;
  const interval = low === null || high === null ? '' : ` (95 % interval ${perSecond(low)} to ${perSecond(high)})`;
  const beyond = concurrency > widest ? ', beyond what was measured' : '';
  const at = `${perSecond(throughputPerSecond)} at a concurrency of ${significant(concurrency)}`;
  return `Its peak is ${at}${interval}${beyond}.`;
}

function about({ startedAt, probes, seed }: CapacityDocument): readonly string[] {
  return [
    'Capacity search',
    `${startedAt.slice(0, 19).replace('T', ' ')} UTC`,
    `${probes.length} runs`,
    `seed ${seed}`,
  ];
}

function perSecond(value: number): string {
  return `${significant(value)}/s`;
}
