import { list, type Task, task } from './answers.js';
import { type EngineCalls, filters } from './calls.js';

export interface Tasks {
  /** Tasks whose container has the label; older ones of each slot included, as far as the swarm keeps them. */
  labelled(label: string, signal: AbortSignal): Promise<readonly Task[]>;
  /** Of these services, older ones of each slot included. */
  ofServices(serviceIds: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
  /** Of these services, and only those tasks that fit the service as it is now. */
  upToDate(serviceIds: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
}

export function tasksOf({ call }: EngineCalls): Tasks {
  const tasks = (wanted: Readonly<Record<string, readonly string[]>>, signal: AbortSignal): Promise<readonly Task[]> =>
    call({ doing: 'listing tasks', method: 'GET', path: '/tasks', query: filters(wanted) }, list(task), signal);
  return {
    labelled: (label, signal) => tasks({ label: [label] }, signal),
    ofServices: async (ids, signal) => (ids.length === 0 ? [] : tasks({ service: ids }, signal)),
    // `_up-to-date` is what the Docker CLI itself relies on (cli/command/service/progress).
    upToDate: async (ids, signal) => (ids.length === 0 ? [] : tasks({ service: ids, '_up-to-date': ['true'] }, signal)),
  };
}
