import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { endpointCodec } from '../../client-sim/protocol/order-codec.js';
import { ControllerError } from './errors.js';

/** The files that the controller keeps in a run folder. Reports are written beside them. */
export const files = {
  events: 'events.jsonl',
  telemetry: 'telemetry.jsonl',
  /** Touched every second while the run is on. Programs of the run end when it is older than a minute. */
  lease: 'controller.lease',
  /** Secrets that a controller needs to adopt the run; mode 0600, removed at the end of the run. */
  secrets: 'secrets.json',
} as const;

/** Not served with the artifacts of a run. */
export const privateFiles: readonly string[] = [files.lease, files.secrets];

/**
 * The secrets of one run. `worker` makes a registering program a worker of this run: only programs that were started
 * for it are given it. `operator` reads and stops this run and no other.
 */
const runTokens = z.strictObject({ worker: z.string(), operator: z.string() });
export type RunTokens = z.infer<typeof runTokens>;

const secrets = z.strictObject({
  /** Absent in files of earlier versions. */
  run: runTokens.optional(),
  endpoints: z.array(endpointCodec),
  /** Only when profiles (by index) take different routes. */
  routes: z
    .array(z.strictObject({ profiles: z.array(z.number().int().min(0)), endpoints: z.array(endpointCodec) }))
    .optional(),
  /** Tokens by worker id. */
  workers: z.record(z.string(), z.string()),
});
export type Secrets = z.infer<typeof secrets>;

/** Creates `results/<run-id>/` and points `results/latest` to it. */
export function createRunFolder(resultsFolder: string, runId: string): string {
  const folder = join(resultsFolder, runId);
  mkdirSync(folder, { recursive: true });
  const link = join(resultsFolder, `.latest-${runId}`);
  // Renamed into place, so that `latest` always exists and two controllers cannot collide on it.
  symlinkSync(basename(folder), link);
  renameSync(link, join(resultsFolder, 'latest'));
  return folder;
}

export function writeSecrets(folder: string, value: Secrets): void {
  const path = join(folder, files.secrets);
  const next = `${path}.next`;
  rmSync(next, { force: true });
  writeFileSync(next, JSON.stringify(value), { mode: 0o600, flag: 'wx' });
  renameSync(next, path);
}

/** @throws ControllerError NOT_ADOPTABLE when the file is missing or not ours */
export async function readSecrets(folder: string): Promise<Secrets> {
  const path = join(folder, files.secrets);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const parsed = text === undefined ? undefined : secrets.safeParse(parseJson(text));
  if (!parsed?.success)
    throw new ControllerError(
      'NOT_ADOPTABLE',
      `${path} is missing or unreadable; without it the workers of the run cannot be recognised`,
    );
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function removeSecrets(folder: string): void {
  rmSync(join(folder, files.secrets), { force: true });
  rmSync(join(folder, `${files.secrets}.next`), { force: true });
}

/** The process that conducts the run: the content of the lease file. */
export interface LeaseHolder {
  readonly host: string;
  readonly pid: number;
  readonly startTicks: number | undefined;
}

export const leaseHolder = z.strictObject({
  host: z.string(),
  pid: z.number().int(),
  startTicks: z.number().int().optional(),
});

export function takeLease(folder: string, holder: LeaseHolder): void {
  const path = join(folder, files.lease);
  writeFileSync(path, JSON.stringify(holder), { mode: 0o600 });
  // The file of an earlier controller keeps its mode. It is not replaced, since programs end when it is gone.
  chmodSync(path, 0o600);
}

export function touchLease(folder: string): void {
  const now = new Date();
  utimesSync(join(folder, files.lease), now, now);
}

export function dropLease(folder: string): void {
  rmSync(join(folder, files.lease), { force: true });
}
