import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { defineTool, type Tool, text } from './contract.js';
import { lognormal, type SeededSequences, sigmaFor } from './random.js';

/** The longest time that one call may take. */
const longestMs = 600_000;
const longestBurnMs = 10_000;

const milliseconds = z.number().min(0).max(longestMs);

/** Tools whose duration is known in advance. */
export function timingTools(sequences: SeededSequences, defaultSeed: number): readonly Tool[] {
  return [sleep, randomLatency(sequences, defaultSeed), cpu, progress];
}

const sleep = defineTool({
  name: 'sleep',
  description: 'Answers after exactly this many milliseconds.',
  input: z.strictObject({ ms: milliseconds }),
  async call({ ms }, { signal }) {
    const waitedMs = await wait(ms, signal);
    return { ...text(`slept ${ms} ms`), structuredContent: { waitedMs } };
  },
});

function randomLatency(sequences: SeededSequences, defaultSeed: number): Tool {
  return defineTool({
    name: 'random_latency',
    description:
      'Answers after a time drawn from a lognormal distribution of this median (default 20 ms) and either ' +
      'this 99th percentile (default five times the median) or this sigma. The seed names the sequence of draws.',
    input: z
      .strictObject({
        medianMs: milliseconds.positive().default(20),
        p99Ms: milliseconds.positive().optional(),
        sigma: z.number().min(0).max(5).optional(),
        seed: z.int().default(defaultSeed),
      })
      .refine(({ p99Ms, sigma }) => p99Ms === undefined || sigma === undefined, 'give p99Ms or sigma, not both')
      .refine(({ medianMs, p99Ms }) => p99Ms === undefined || p99Ms >= medianMs, 'p99Ms is below medianMs'),
    annotations: { idempotentHint: false },
    async call({ medianMs, p99Ms, sigma, seed }, { signal }) {
      const spread = sigma ?? sigmaFor(medianMs, p99Ms ?? medianMs * 5);
      const drawnMs = Math.min(lognormal(sequences.of(seed), medianMs, spread), longestMs);
      const waitedMs = await wait(drawnMs, signal);
      return { ...text(`slept ${drawnMs.toFixed(3)} ms`), structuredContent: { drawnMs, waitedMs } };
    },
  });
}

const cpu = defineTool({
  name: 'cpu',
  description: 'Keeps one core busy for this many milliseconds; nothing else of this server runs meanwhile.',
  input: z.strictObject({ ms: milliseconds.max(longestBurnMs) }),
  call({ ms }) {
    const until = performance.now() + ms;
    let turns = 0;
    while (performance.now() < until) turns += 1;
    return { ...text(`burned ${ms} ms`), structuredContent: { turns } };
  },
});

const progress = defineTool({
  name: 'progress',
  description:
    'Sends a progress notification after each step, then the result. Without a progress token only the result.',
  input: z.strictObject({ steps: z.int().min(1).max(10_000).default(5), delayMs: milliseconds.default(10) }),
  async call({ steps, delayMs }, { signal, progress: report }) {
    for (let step = 1; step <= steps && !signal.aborted; step += 1) {
      await wait(delayMs, signal);
      await report(step, steps);
    }
    return text(`${steps} steps done`);
  },
});

/** Waits shorter than this spin on the event loop instead of a timer. */
const fineMs = 1.5;

/**
 * Waits `ms` milliseconds, never less and, on an idle loop, some tens of microseconds more. A timer alone counts whole
 * milliseconds of a cached clock and fires up to one too early or too late, but the duration of a call has to be exact;
 * the price is a busy event loop in the last millisecond.
 * @returns the milliseconds really waited; fewer when the signal ended the wait
 */
export function wait(ms: number, signal?: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  const dueAt = startedAt + ms;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve(performance.now() - startedAt);
    };
    const turn = (): void => {
      if (signal?.aborted === true) return;
      const left = dueAt - performance.now();
      if (left <= 0) end();
      else if (left <= fineMs) setImmediate(turn);
      else timer = setTimeout(turn, left - fineMs);
    };
    if (signal?.aborted === true) end();
    else {
      signal?.addEventListener('abort', end, { once: true });
      turn();
    }
  });
}
