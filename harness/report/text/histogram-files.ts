import hdr from 'hdr-histogram-js';
import { decodeCounts, toHistogram } from '../../analysis/merge/hdr-counts.js';
import type { Report } from '../schema.js';
import { tidy } from '../tidy.js';

/** HdrHistogram log 1.3 in microseconds: one interval for each stage; unmeasured stages are tagged with their name. */
export function renderHlog({ run, stages, histograms }: Report): string {
  let text = '';
  const writer = new hdr.HistogramLogWriter((line) => {
    text += line;
  });
  writer.outputComment(`[swarmbench ${tidy(run.scenario, 200)}, run ${tidy(run.id, 200)}]`);
  writer.outputLogFormatVersion();
  // The library's outputStartTime prints the local time zone, but a run must give the same file everywhere.
  if (run.startedAt !== null) {
    writer.outputComment(
      `[StartTime: ${(Date.parse(run.startedAt) / 1000).toFixed(3)} (seconds since epoch), ${run.startedAt}]`,
    );
  }
  writer.outputLegend();
  for (const [index, stage] of stages.entries()) {
    const encoded = histograms[`stage/${index}/latency`];
    if (encoded === undefined) continue;
    const histogram = toHistogram(decodeCounts(encoded));
    if (!stage.measured) histogram.tag = tidy(stage.name, 60).replaceAll(/[\s,]/g, '_');
    writer.outputIntervalHistogram(histogram, stage.startSeconds, stage.startSeconds + stage.durationSeconds);
  }
  return text;
}

/** Latency of the measured stages as HdrHistogram's percentile distribution in milliseconds, for its plotter. */
export function renderHgrm({ histograms }: Report): string {
  const latency = histograms.latency;
  return latency === undefined
    ? '#[no successful operation in a measured stage]\n'
    : toHistogram(decodeCounts(latency)).outputPercentileDistribution(5, 1000);
}
