/** Several spectra over each other: one file, no script, nothing fetched. */
import { formatMs, whole } from '../analysis/format.js';
import { head } from '../report/html/head.js';
import { html } from '../report/html/markup.js';
import { spectrumChart } from '../report/svg/spectrum.js';
import { lineStyle } from './axis-chart.js';
import type { NamedSpectrum } from './read-spectrum.js';

interface Plot {
  readonly title: string;
  readonly spectra: readonly NamedSpectrum[];
  /** Beside those of the reports; milliseconds. */
  readonly thresholds: readonly { readonly ms: number; readonly text: string }[];
  readonly version: string;
  readonly command: string;
}

/** The percentiles that a table of spectra shows. */
export const PLOTTED = [50, 90, 95, 99, 99.9, 99.99, 100] as const;

export function renderPlot({ title, spectra, thresholds, version, command }: Plot): string {
  const levels = [...thresholds, ...spectra.flatMap((spectrum) => spectrum.thresholds)];
  const once = [...new Map(levels.map((level) => [level.text, level])).values()];
  return html`${head(title)}
<body>
<header>
<h1>${title}</h1>
<p class="meta">${spectra.map(
    ({ name, distribution }) => html`<span>${name}: ${whole(distribution.totalCount)} operations</span>`,
  )}</p>
</header>
<main>
<h2 id="latency">Spectra</h2>
${spectrumChart({
  id: 'spectra',
  title: 'Percentile spectra',
  caption: 'Every further 9 has the same width. A line ends at its own last operation.',
  curves: spectra.map(({ name, distribution }, index) => ({ name, style: lineStyle(index), histogram: distribution })),
  levels: once,
})}
</main>
<footer>Rendered by swarmbench ${version}. Command: ${command}</footer>
</body>
</html>
`.text;
}

/** A row a spectrum, for a terminal. */
export function plotRows(spectra: readonly NamedSpectrum[]): readonly (readonly string[])[] {
  return [
    ['', 'operations', ...PLOTTED.map((percentile) => (percentile === 100 ? 'max' : `p${percentile}`))],
    ...spectra.map(({ name, distribution }) => [
      name,
      whole(distribution.totalCount),
      ...PLOTTED.map((percentile) => formatMs(distribution.getValueAtPercentile(percentile) / 1000)),
    ]),
  ];
}
