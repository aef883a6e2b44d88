/** What the replicas of the target say of themselves: whether they are there, their sessions, and which holds one. */
import { request } from 'undici';
import { z } from 'zod';
import { TARGET_SERVICE } from '../../../../scenarios/schema/keys/fields.js';
import type { ScrapeTarget } from './scrape-targets.js';

/** A replica that has not answered for so long is not active, whatever the swarm believes of its node. */
export const NODE_TIMEOUT_MS = 3_000;

/** A task of the target as it answered just now. */
export interface AskedReplica {
  readonly slot: number;
  readonly node: string;
  readonly task: string;
  /** It answered within `NODE_TIMEOUT_MS`. */
  readonly active: boolean;
  /** How it signs its answers; absent where it does not say, as other people's servers do. */
  readonly replica?: string;
  /** Open sessions; absent likewise. */
  readonly sessions?: number;
}

const stats = z.looseObject({ id: z.string(), sessions: z.looseObject({ active: z.number() }) });

/** @param timeoutMs for each of them, all at once */
export function askReplicas(
  targets: readonly ScrapeTarget[],
  signal: AbortSignal,
  timeoutMs = NODE_TIMEOUT_MS,
): Promise<readonly AskedReplica[]> {
  return Promise.all(
    replicasIn(targets).map(async ({ address, ...place }) => {
      const answer = await ask(address, '/stats', signal, timeoutMs);
      if (answer === undefined) return { ...place, active: false };
      const said = stats.safeParse(answer.body);
      if (!said.success) return { ...place, active: true };
      return { ...place, active: true, replica: said.data.id, sessions: said.data.sessions.active };
    }),
  );
}

/** The replica that holds the session; undefined when none says so. */
export async function holderOf(
  session: string,
  targets: readonly ScrapeTarget[],
  signal: AbortSignal,
  timeoutMs = NODE_TIMEOUT_MS,
): Promise<AskedReplica | undefined> {
  const held = z.looseObject({ replica: z.string() });
  const answers = await Promise.all(
    replicasIn(targets).map(async ({ address, ...place }) => {
      const answer = await ask(address, `/sessions/${encodeURIComponent(session)}`, signal, timeoutMs);
      const found = answer?.status === 200 ? held.safeParse(answer.body) : undefined;
      return found?.success === true ? { ...place, active: true, replica: found.data.replica } : undefined;
    }),
  );
  return answers.find((answer) => answer !== undefined);
}

function replicasIn(targets: readonly ScrapeTarget[]) {
  return targets.flatMap(({ targets: [address], labels: { service, slot, node, task } }) =>
    service !== TARGET_SERVICE || address === undefined
      ? []
      : [{ address, slot: Number(slot ?? 0), node: node ?? '', task: task ?? '' }],
  );
}

/** @returns undefined when it does not answer in time */
async function ask(
  address: string,
  path: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly body: unknown } | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const { statusCode, body } = await request(`http://${address}${path}`, { signal: limit });
    const text = await body.text();
    return { status: statusCode, body: jsonOf(text) };
  } catch {
    return undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
