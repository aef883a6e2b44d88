/** Shows services on their way: a row each, redrawn, on a terminal; a line whenever one has changed elsewhere. */
import type { ServiceProgress } from '../../platform/swarm/stack/service-progress.js';
import type { Output } from '../host.js';
import { duration } from '../terminal/quantity.js';
import { createScreen } from '../terminal/screen.js';
import type { Style } from '../terminal/style.js';
import { serviceLine, serviceRows } from './service-words.js';

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
