/** A plan's outline as text: short before a run, in full for `swarmbench plan`. */
import { bytes, count, duration, rate } from '../terminal/quantity.js';
import type { Style } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { Outline } from './outline.js';

/** What is about to happen, on the four lines one reads before it does. */
export function renderBrief(outline: Outline, style: Style): string {
  const about = outline.description === '' ? '' : `: ${outline.description}`;
  return lines([
    `${style.bold(outline.scenario)}${about}`,
    ...facts(outline, style),
    ...(outline.processes.why === undefined ? [] : [`  ${style.dim('processes')}  ${processes(outline)}`]),
    ...notes(outline, style),
  ]);
}

export function renderOutline(outline: Outline, style: Style): string {
  const { limits } = outline;
  return lines([
    `${style.bold(outline.scenario)}${outline.description === '' ? '' : `: ${outline.description}`}`,
    ...facts(outline, style),
    `  ${style.dim('processes')}  ${processes(outline)}`,
    `  ${style.dim('limits')}     ${count(limits.clients)} clients, ${rate(limits.ratePerSecond)}, ${duration(limits.durationSeconds * 1000)}, ${bytes(limits.bytes)}`,
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
          stage.expectedRequests === undefined ? 'as answered' : count(stage.expectedRequests),
          stage.peakRatePerSecond === undefined ? 'as answered' : rate(stage.peakRatePerSecond),
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

function processes({ processes: { targets, workers, why } }: Outline): string {
  return `${targets} target, ${workers} worker${why === undefined ? '' : ` (${why})`}`;
}

const serverWords = { reference: 'the reference server', sink: 'the sink', image: 'image ' } as const;

function facts(outline: Outline, style: Style): readonly string[] {
  const { target } = outline;
  const replicas = target.replicas === 1 ? '' : `, ${target.replicas} replicas`;
  const where =
    target.kind === 'command'
      ? `a process for each session: ${target.urls.join(', ')}`
      : target.kind === 'url'
        ? target.urls.join(', ')
        : `${serverWords[target.kind]}${target.image}${replicas}`;
  const mix = outline.profiles.map(({ name, clients }) => `${name} ${count(clients)}`).join(', ');
  const sent = outline.estimatedBytesSent === undefined ? '' : `, ${bytes(outline.estimatedBytesSent)} sent`;
  return [
    `  ${style.dim('target')}     ${where}`,
    `  ${style.dim('clients')}    ${count(outline.clients)} (${mix})`,
    `  ${style.dim('duration')}   ${duration(outline.durationSeconds * 1000)}, then up to ${duration(outline.drainSeconds * 1000)} for the last answers`,
    `  ${style.dim('requests')}   ${outline.expectedRequests === undefined ? 'as many as are answered (closed loop)' : `about ${count(outline.expectedRequests)}${sent}`}`,
  ];
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
