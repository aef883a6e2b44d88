import { fixedDelay } from '../servers/behaviours.js';
import type { Behaviour } from '../servers/call.js';
import { type ServerLog, startTestServer, type TestServerOptions } from '../servers/test-server.js';
import { withLateness } from './lateness.js';
import { type Finished, type RunRequest, run, type ScenarioFile } from './swarmbench.js';

/** A finished run and what its target saw of it. */
export interface Evidence extends Finished {
  readonly log: ServerLog;
  /** How late the machine woke sleeping threads meanwhile, in the median. */
  readonly lateMs: number;
}

/** Of each tool that is right half of the time: the second answer is wrong, the fourth, ... */
const halves = new Map<string, number>();

/**
 * Tools whose name starts with `slow` take 150 ms, `half` are right every other time, `stuck` never answers, all others
 * answer at once.
 */
export const byName: Behaviour = (call) => {
  if (call.tool?.startsWith('half') === true) {
    const number = (halves.get(call.tool) ?? 0) + 1;
    halves.set(call.tool, number);
    // As long as the right answer and as plain, but for the one that is to be too long.
    const wrong = call.tool === 'half-size' ? 'ok'.padEnd(400) : 'ko';
    return call.answer(number % 2 === 1 ? call.rightAnswer : call.rightAnswer.replace('"ok"', JSON.stringify(wrong)));
  }
  if (call.tool?.startsWith('slow') === true) return fixedDelay(150)(call);
  if (call.tool !== 'stuck') call.answer();
};

/** Runs against a test server of its own. */
export async function observe(request: RunRequest, server: Partial<TestServerOptions> = {}): Promise<Evidence> {
  const { url, log } = await startTestServer({ behaviour: byName, tools: toolsOf(request.scenario), ...server });
  const { value, lateMs } = await withLateness(() => run({ target: url, ...request }));
  return { ...value, log, lateMs };
}

/** Every tool that the scenario calls: the preflight looks for them in `tools/list`. */
function toolsOf(scenario: ScenarioFile): readonly string[] {
  return [...new Set([...JSON.stringify(scenario).matchAll(/"tool":"([^"]+)"/g)].map(([, tool]) => tool ?? ''))];
}

/** A profile of its own for each key, whose calls are recognised by the name of its tool. */
export function calling(tool: string, more: ScenarioFile): ScenarioFile {
  return { profile: 'low-load', clients: 1, operations: [{ tool }], ...more };
}
export const even = { arrivals: { rate: '30/s' }, connections: 1 };
export const steady = [{ name: 'steady', duration: '3s' }];

export const brief = [{ name: 'steady', duration: '1s' }];

/**
 * Run time in seconds up to which operations were due; the batches after it have late answers only, as those of a slow
 * reader.
 */
export function lastedSeconds({ telemetry }: Finished): number {
  const withLoad = telemetry.filter(({ batch }) => batch.series.some((series) => series.offered > 0));
  return Math.max(...withLoad.map(({ batch }) => batch.toMs)) / 1000;
}
