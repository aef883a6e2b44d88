/** What somebody changed in the spec of a service, for people. Pure. */
import type { Service } from '../engine/answers.js';
import { wantedReplicas } from '../stack/service-progress.js';

type Spec = Service['Spec'];

/** Keys of the spec that have a name of their own; how their values are written. */
const KNOWN: Readonly<Record<string, readonly [name: string, shown: (value: unknown) => string]>> = {
  'TaskTemplate.ContainerSpec.Image': ['image', String],
  'TaskTemplate.Resources.Limits.MemoryBytes': ['memory limit', bytes],
  'TaskTemplate.Resources.Limits.NanoCPUs': ['cpu limit', cores],
  'TaskTemplate.Resources.Reservations.MemoryBytes': ['reserved memory', bytes],
  'TaskTemplate.Resources.Reservations.NanoCPUs': ['reserved cpus', cores],
  'UpdateConfig.Order': ['order of updates', String],
  'UpdateConfig.Parallelism': ['parallelism of updates', String],
};
/** Written by a run for itself. */
const OWN_LABEL = /^Labels\.swarmbench\./;

/** `replicas 2 to 4`, one for each change; empty when nothing changed that matters to people. */
export function specChanges(before: Spec, now: Spec): readonly string[] {
  const replicas = [before, now].map((spec) => wantedReplicas({ Spec: spec }));
  const [from, to] = [leavesOf(before), leavesOf(now)];
  const paths = [...new Set([...from.keys(), ...to.keys()])].filter(
    (path) => from.get(path) !== to.get(path) && !OWN_LABEL.test(path) && !path.startsWith('Mode.Replicated'),
  );
  return [
    ...(replicas[0] === replicas[1] ? [] : [`replicas ${replicas[0]} to ${replicas[1]}`]),
    ...new Set(paths.map((path) => changeText(path, from.get(path), to.get(path)))),
  ];
}

function changeText(path: string, before: string | undefined, now: string | undefined): string {
  if (path === 'TaskTemplate.ForceUpdate') return 'forced update';
  // Values of variables may be secrets.
  if (path.startsWith('TaskTemplate.ContainerSpec.Env.')) return `environment ${path.split('.')[3]?.split('=')[0]}`;
  const known = KNOWN[path];
  if (known === undefined) return path;
  const [name, shown] = known;
  const text = (value: string | undefined): string => (value === undefined ? 'none' : shown(JSON.parse(value)));
  return `${name} ${text(before)} to ${text(now)}`;
}

/** JSON of the values by path; an item of a list of texts is a key of its own. */
function leavesOf(value: unknown, path = '', leaves = new Map<string, string>()): ReadonlyMap<string, string> {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    for (const item of value) leaves.set(`${path}.${item}`, 'true');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) leavesOf(inner, path === '' ? key : `${path}.${key}`, leaves);
  } else if (value !== undefined && value !== null) {
    leaves.set(path, JSON.stringify(value));
  }
  return leaves;
}

function bytes(value: unknown): string {
  const mebibytes = Number(value) / 2 ** 20;
  return mebibytes === 0 ? 'none' : `${Math.round(mebibytes * 10) / 10} MiB`;
}

function cores(value: unknown): string {
  return Number(value) === 0 ? 'none' : `${Number(value) / 1e9} cpus`;
}
