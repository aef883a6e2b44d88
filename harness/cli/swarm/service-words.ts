/** How a service's progress reads. Pure. */

import { shortName } from '../../platform/swarm/stack/find-service.js';
import type { ServiceProgress } from '../../platform/swarm/stack/service-progress.js';
import type { Style } from '../terminal/style.js';
import { table } from '../terminal/table.js';

const BAR_COLUMNS = 12;

/** One row a service, columns aligned. */
export function serviceRows(services: readonly ServiceProgress[], stack: string, style: Style): readonly string[] {
  return table(
    services.map((service) => {
      const { name, running, wanted, lastError } = service;
      const error = service.state === 'running' || lastError === undefined ? '' : style.red(lastError);
      return [
        `  ${shortName(name, stack)}`,
        bar(running, wanted, style),
        `${running}/${wanted}`,
        paint(service, style),
        error,
      ];
    }),
    [2],
  );
}

/** `gateway 0/1 starting (preparing)`. */
export function serviceLine(service: ServiceProgress, stack: string): string {
  const { name, running, wanted, state, lastError } = service;
  const error = state === 'running' || lastError === undefined ? '' : `: ${lastError}`;
  return `${shortName(name, stack)} ${running}/${wanted} ${stateWords(service)}${error}`;
}

function stateWords({ state, wanted, slowest }: ServiceProgress): string {
  if (state === 'running') return wanted === 0 ? 'at rest' : 'running';
  return slowest === undefined || slowest === state ? state : `${state} (${slowest})`;
}

function paint(service: ServiceProgress, style: Style): string {
  const words = stateWords(service);
  if (service.wanted === 0) return style.dim(words);
  if (service.state === 'running') return style.green(words);
  return service.state === 'paused' || service.state === 'rolling back' || service.state === 'rolled back'
    ? style.red(words)
    : style.yellow(words);
}

function bar(running: number, wanted: number, style: Style): string {
  const full = wanted === 0 ? 0 : Math.round(Math.min(1, running / wanted) * BAR_COLUMNS);
  return style.cyan('█'.repeat(full)) + style.dim('░'.repeat(BAR_COLUMNS - full));
}
