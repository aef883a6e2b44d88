/**
 * Our own stack and its overlays as cases: with ports and tokens of their own, and with no node that fits, so that
 * nothing runs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../support/package-root.js';
import type { ComposeCase } from '../../support/swarm/cases.js';

const OVERLAYS = {
  'our own stack': [],
  'our own stack with virtual addresses': ['stack.vip.yml'],
  'our own stack with its pages published': ['stack.observe.yml'],
  'our own stack with TLS': ['stack.tls.yml'],
};

const PORTS = ['HARNESS', 'GATEWAY', 'GATEWAY_STREAM', 'GATEWAY_STATS', 'PROMETHEUS', 'ALERTMANAGER', 'GRAFANA'];
const FIRST_PORT = 27_800;

/** @param folder for what the files refer to; the caller removes it */
export function idleStackCases(stack: string, folder: string): readonly ComposeCase[] {
  const token = join(folder, 'token');
  const nowhere = join(folder, 'nowhere.yml');
  const base = join(packageRoot, 'swarm/stack.yml');
  const { services } = parse(readFileSync(base, 'utf8'), { merge: true }) as {
    readonly services: Readonly<Record<string, unknown>>;
  };
  const placement = { deploy: { placement: { constraints: ['node.labels.swarmbench-nowhere == yes'] } } };
  writeFileSync(token, 'a token of tests');
  writeFileSync(
    nowhere,
    JSON.stringify({ services: Object.fromEntries(Object.keys(services).map((name) => [name, placement])) }),
  );
  const ports = Object.fromEntries(PORTS.map((name, i) => [`${name}_PORT`, String(FIRST_PORT + i)]));
  const files = ['API_TOKEN', 'VIEWER_TOKEN', 'WORKER_TOKEN', 'TLS_CERT', 'TLS_KEY'].map((name) => [
    `${name}_FILE`,
    token,
  ]);
  const environment = { STACK: stack, ...Object.fromEntries(files), ...ports };
  return Object.entries(OVERLAYS).map(([name, overlays]) => {
    const paths = [base, ...overlays.map((file) => join(packageRoot, 'swarm', file)), nowhere];
    return { name, paths, environment };
  });
}
