import type { ServiceProgress } from '../../platform/swarm/stack/service-progress.js';
import { shortName } from '../../platform/swarm/stack/stack-objects.js';
import type { Output } from '../host.js';
import { duration } from '../terminal/quantity.js';
import { createScreen } from '../terminal/screen.js';
import type { Style } from '../terminal/style.js';
import { table } from '../terminal/table.js';

/** Shows services on their way: a row each, redrawn, on a terminal; a line whenever one has changed elsewhere. */

export interface ServicesDisplay {
  show(services: readonly ServiceProgress[]): void;
  /** What is going on while there are no services to show. */
  doing(what: string): void;
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
  const title = (what: string): string =>
    `${style.bold(stack)}  ${what}  ${style.dim(duration(performance.now() - began))}`;
  return {
    show(services) {
      const running = services.filter(({ state }) => state === 'running').length;
      screen.block([
        title(`${running} of ${services.length} services as wanted`),
        ...serviceRows(services, stack, style),
      ]);
    },
    doing: (what) => screen.block([title(`${what} ...`)]),
    note: (line) => screen.log(line),
    close: () => screen.close(),
  };
}

function inLines(output: Output, stack: string): ServicesDisplay {
  const said = new Map<string, string>();
  let last = '';
  return {
    show(services) {
      for (const service of services) {
        const line = serviceLine(service, stack);
        // Each step of a task on its way would be a line too many.
        const news = serviceLine({ ...service, slowest: undefined }, stack);
        if (said.get(service.name) !== news) output.write(`${line}\n`);
        said.set(service.name, news);
      }
    },
    doing(what) {
      if (what !== last) output.write(`${stack}: ${what}\n`);
      last = what;
    },
    note: (line) => output.write(`${line}\n`),
    close: () => undefined,
  };
}

/** How a service's progress reads. Pure. */

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
  return `${shortName(name, stack)} ${running}/${wanted} ${stateText(service)}${error}`;
}

function stateText({ state, wanted, slowest }: ServiceProgress): string {
  if (state === 'running') return wanted === 0 ? 'idle' : 'running';
  return slowest === undefined || slowest === state ? state : `${state} (${slowest})`;
}

function paint(service: ServiceProgress, style: Style): string {
  const words = stateText(service);
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
