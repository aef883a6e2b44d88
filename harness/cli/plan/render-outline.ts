/** A plan's outline as text: short before a run, in full for `swarmbench plan`. */
import { plural } from '../../analysis/format.js';
import { bytes, count, duration, rate } from '../terminal/quantity.js';
import type { Style } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { Outline } from './outline.js';

/** The most important numbers, in a few lines. */
export function renderBrief(outline: Outline, style: Style): string {
  return lines([
    title(outline, style),
    ...facts(outline, style),
    ...(outline.processes.why === undefined ? [] : [`  ${style.dim('processes')}  ${processes(outline)}`]),
    ...notes(outline, style),
  ]);
}

export function renderOutline(outline: Outline, style: Style): string {
  const { limits } = outline;
  return lines([
    title(outline, style),
    ...facts(outline, style),
    `  ${style.dim('processes')}  ${processes(outline)}`,
    `  ${style.dim('limits')}     ${limitsText(limits)}`,
    `  ${style.dim('seed')}       ${outline.seed}`,
    '',
    ...indented(
      [
        ['profile', 'clients', 'load', 'connections', 'operations'],
        ...outline.profiles.map((profile) => [
          profile.name,
          count(profile.clients),
          profile.ratePerClient === undefined ? 'closed loop' : `${rate(profile.ratePerClient)} each`,
          count(profile.connections),
          profile.operations.join(', '),
        ]),
      ],
      [1, 3],
      style,
    ),
    '',
    ...indented(
      [
        ['stage', 'duration', 'measured', 'requests', 'peak rate'],
        ...outline.stages.map((stage) => [
          stage.name,
          duration(stage.durationSeconds * 1000),
          stage.measured ? 'yes' : 'no',
          stage.expectedRequests === undefined ? 'closed loop' : count(stage.expectedRequests),
          stage.peakRatePerSecond === undefined ? 'closed loop' : rate(stage.peakRatePerSecond),
        ]),
      ],
      [1, 3, 4],
      style,
    ),
    ...(outline.faults.length === 0
      ? []
      : ['', `  ${style.dim('faults')}`, ...outline.faults.map((fault) => `    ${fault}`)]),
    ...(outline.thresholds.length === 0
      ? []
      : ['', `  ${style.dim('thresholds')}`, ...outline.thresholds.map((check) => `    ${check}`)]),
    ...notes(outline, style),
  ]);
}

function title({ scenario, description }: Outline, style: Style): string {
  return `${style.bold(scenario)}${description === '' ? '' : `: ${description}`}`;
}

function limitsText({ clients, ratePerSecond, durationSeconds, bytes: byteLimit }: Outline['limits']): string {
  return `${count(clients)} clients, ${rate(ratePerSecond)}, ${duration(durationSeconds * 1000)}, ${bytes(byteLimit)}`;
}

function processes({ processes: { targets, workers, why } }: Outline): string {
  const reason = why === undefined ? '' : ` (${why})`;
  return `${plural(targets, 'target')}, ${plural(workers, 'worker')}${reason}`;
}

function facts(outline: Outline, style: Style): readonly string[] {
  const profiles = outline.profiles.map(({ name, clients }) => `${name} ${count(clients)}`).join(', ');
  const load = duration(outline.durationSeconds * 1000);
  const drain = duration(outline.drainSeconds * 1000);
  return [
    ...(outline.arms.length === 0
      ? [`  ${style.dim('target')}     ${targetText(outline.target)}`]
      : outline.arms.map((arm) => `  ${style.dim('arm')}        ${arm.name}: ${targetText(arm)}`)),
    ...(outline.upstreams === undefined ? [] : [`  ${style.dim('upstreams')}  ${upstreamsText(outline.upstreams)}`]),
    `  ${style.dim('clients')}    ${count(outline.clients)} (${profiles})`,
    `  ${style.dim('duration')}   ${load}, then up to ${drain} for the last answers`,
    `  ${style.dim('requests')}   ${requestsText(outline)}`,
  ];
}

function upstreamsText({ servers, tools, prepare }: NonNullable<Outline['upstreams']>): string {
  return `${plural(servers, 'server')} with ${plural(tools, 'tool')}; the gateway is told of them by ${prepare}`;
}

function targetText({ kind, image, urls, replicas }: Outline['target']): string {
  const more = replicas === 1 ? '' : `, ${replicas} replicas`;
  switch (kind) {
    case 'reference':
      return `the reference server${more}`;
    case 'sink':
      return `the sink${more}`;
    case 'image':
      return `image ${image}${more}`;
    case 'url':
      return urls.join(', ');
    case 'command':
      return `one process per session: ${urls.join(', ')}`;
  }
}

function requestsText({ expectedRequests, estimatedBytesSent }: Outline): string {
  if (expectedRequests === undefined) return 'as many as the target answers (closed loop)';
  const sent = estimatedBytesSent === undefined ? '' : `, ${bytes(estimatedBytesSent)} sent`;
  return `about ${count(expectedRequests)}${sent}`;
}

function notes(outline: Outline, style: Style): readonly string[] {
  return [
    ...outline.warnings.map((warning) => `  ${style.yellow('warning:')} ${warning}`),
    ...outline.refusals.map((refusal) => `  ${style.red('refused:')} ${refusal}`),
  ];
}

function indented(rows: readonly (readonly string[])[], right: readonly number[], style: Style): readonly string[] {
  return table(rows, right).map((row, index) => `  ${index === 0 ? style.dim(row) : row}`);
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
