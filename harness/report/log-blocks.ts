import type { RunFacts } from '../analysis/facts/run-facts.js';
import type { RunModel } from '../analysis/fold-run.js';
import type { Report } from './schema.js';
import { clip } from './tidy.js';

export function runBlock({ plan, facts, aggregate }: RunModel): Report['run'] {
  return {
    id: facts.created?.runId ?? '',
    scenario: plan.scenario,
    description: plan.description,
    seed: plan.seed,
    startedAt: facts.startAt === undefined ? (facts.created?.at ?? null) : new Date(facts.startAt).toISOString(),
    endedAt:
      facts.startAt === undefined ? (facts.lastAt ?? null) : new Date(facts.startAt + aggregate.lastMs).toISOString(),
    durationSeconds: aggregate.lastMs / 1000,
    command: facts.created?.command ?? '',
    version: facts.created?.version ?? '',
    labels: { ...facts.created?.labels },
  };
}

export function eventBlocks(facts: RunFacts): Report['events'] {
  return facts.journal.map(({ at, type, text }) => ({
    t: facts.startAt === undefined ? null : (Date.parse(at) - facts.startAt) / 1000,
    at,
    type,
    text: clip(text, 500),
  }));
}

const exchangeLimit = 2048;

export function preflightBlock({ preflight }: RunFacts): Report['preflight'] {
  if (preflight.kind === 'none') return null;
  return {
    ok: preflight.kind === 'passed',
    ...(preflight.kind === 'failed' ? { problem: preflight.problem } : {}),
    exchanges: preflight.exchanges.map(({ step, request, response, durationMs, ok, problem }) => ({
      step,
      request: clip(request, exchangeLimit),
      response: clip(response, exchangeLimit),
      durationMs,
      ok,
      ...(problem === undefined ? {} : { problem }),
    })),
  };
}

export function environmentBlock({ plan, facts }: RunModel): Report['environment'] {
  return {
    ...facts.environment,
    target: { kind: plan.target.kind, endpoints: facts.endpoints },
    ...(facts.preflight.kind === 'passed'
      ? {
          protocol: facts.preflight.pinned,
          ...(facts.preflight.routes === undefined
            ? {}
            : {
                protocols: Object.fromEntries(
                  facts.preflight.routes.flatMap(({ profiles, pinned }) => profiles.map((name) => [name, pinned])),
                ),
              }),
          ...(facts.preflight.serverInfo === undefined ? {} : { server: facts.preflight.serverInfo }),
        }
      : {}),
    scenario: { file: plan.source.file, configHash: plan.source.configHash },
  };
}
