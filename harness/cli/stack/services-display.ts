/**
 * Shows services while they start: on a terminal one row each, which is redrawn; elsewhere a line whenever one has
 * changed.
 */
import type { ServiceProgress } from '../../platform/swarm/stack/service-progress.js';
import { shortName } from '../../platform/swarm/stack/stack-objects.js';
import type { Output } from '../host.js';
import { duration } from '../terminal/quantity.js';
import { createScreen } from '../terminal/screen.js';
import type { Style } from '../terminal/style.js';
import { table } from '../terminal/table.js';

export interface ServicesDisplay {
  show(services: readonly ServiceProgress[]): void;
  /** Shows an activity as long as there are no services to show. */
  doing(activity: string): void;
  /** A line that stays. */
  note(line: string): void;
  close(): void;
}

export function createServicesDisplay(output: Output, style: Style, stack: string): ServicesDisplay {
  return output.isTTY ? onTerminal(output, style, stack) : inLines(output, stack);
}

function onTerminal(output: Output, style: Style, stack: string): ServicesDisplay {
  const screen = createScreen(output);
  const began = performance.now();
  const title = (activity: string): string =>
    `${style.bold(stack)}  ${activity}  ${style.dim(duration(performance.now() - began))}`;
  return {
    show(services) {
      const running = services.filter(({ state }) => state === 'running').length;
      screen.block([
        title(`${running} of ${services.length} services as wanted`),
        ...serviceRows(services, stack, style),
      ]);
    },
    doing: (activity) => screen.block([title(`${activity} ...`)]),
    note: (line) => screen.log(line),
    close: () => screen.close(),
  };
}

function inLines(output: Output, stack: string): ServicesDisplay {
  const printed = new Map<string, string>();
  let last = '';
  return {
    show(services) {
      for (const service of services) {
        const line = serviceLine(service, stack);
        // Without the steps of its tasks, each of which would be another line.
        const essence = serviceLine({ ...service, slowest: undefined }, stack);
        if (printed.get(service.name) !== essence) output.write(`${line}\n`);
        printed.set(service.name, essence);
      }
    },
    doing(activity) {
      if (activity !== last) output.write(`${stack}: ${activity}\n`);
      last = activity;
    },
    note: (line) => output.write(`${line}\n`),
    close: () => undefined,
  };
}

const BAR_COLUMNS = 12;

/** One row per service, in aligned columns. */
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
  return `${shortName(name, stack)} ${running}/${wanted} ${stateText(service)}${error}`;
}

function stateText({ state, wanted, slowest }: ServiceProgress): string {
  if (state === 'running') return wanted === 0 ? 'idle' : 'running';
  return slowest === undefined || slowest === state ? state : `${state} (${slowest})`;
}

function paint(service: ServiceProgress, style: Style): string {
  const text = stateText(service);
  if (service.wanted === 0) return style.dim(text);
  if (service.state === 'running') return style.green(text);
  return service.state === 'paused' || service.state === 'rolling back' || service.state === 'rolled back'
    ? style.red(text)
    : style.yellow(text);
}

function bar(running: number, wanted: number, style: Style): string {
  const full = wanted === 0 ? 0 : Math.round(Math.min(1, running / wanted) * BAR_COLUMNS);
  return style.cyan('█'.repeat(full)) + style.dim('░'.repeat(BAR_COLUMNS - full));
}
