import type { CliCommand } from './command.js';

interface CommandEntry {
  readonly summary: string;
  /** Only what is asked for is loaded: an API and a report renderer are much to read for `swarmbench list`. */
  readonly load: () => Promise<CliCommand>;
}

/** In the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: 'run scenarios and write their reports (default: smoke, against the reference server)',
    load: async () => (await import('./run.js')).run,
  },
  list: {
    summary: 'the scenarios and client profiles that come with swarmbench',
    load: async () => (await import('./list.js')).list,
  },
  plan: {
    summary: 'what a scenario would do: clients, stages, requests, bytes, limits, and what would be refused',
    load: async () => (await import('./plan.js')).plan,
  },
  validate: {
    summary: 'check scenario files: every problem at once, with file, line and column',
    load: async () => (await import('./validate.js')).validate,
  },
  schema: {
    summary: 'the JSON Schema of scenario files, profile files or reports, for editors and validators',
    load: async () => (await import('./schema.js')).schema,
  },
  report: {
    summary: "render a run's report again, from its log alone",
    load: async () => (await import('./report.js')).report,
  },
  capacity: {
    summary: 'the highest rate that a target bears: steps, bisection, confirmation, and the curve',
    load: async () => (await import('./capacity.js')).capacity,
  },
  calibrate: {
    summary: 'how much load of a profile this machine can make: its ceiling against a bare, fast target',
    load: async () => (await import('./calibrate.js')).calibrate,
  },
  doctor: {
    summary: 'look whether this machine can run benchmarks well, and say what to mend',
    load: async () => (await import('./doctor.js')).doctor,
  },
  images: {
    summary: 'make the images of the stack and bring them to the nodes of the swarm',
    load: async () => (await import('./images.js')).images,
  },
  up: {
    summary: 'deploy the stack into a Docker Swarm and wait until all of it runs; again: only what changed',
    load: async () => (await import('./up.js')).up,
  },
  status: {
    summary: 'what of the stack runs, and why the rest does not',
    load: async () => (await import('./status.js')).status,
  },
  scale: {
    summary: 'how many replicas services of the stack have',
    load: async () => (await import('./scale.js')).scale,
  },
  logs: {
    summary: 'what services of the stack wrote, each line with its task',
    load: async () => (await import('./logs.js')).logs,
  },
  down: {
    summary: 'remove the stack and wait until nothing of it is left',
    load: async () => (await import('./down.js')).down,
  },
  serve: {
    summary: 'conduct runs over the REST API, and finish those that a killed controller left in the results folder',
    load: async () => (await import('./serve.js')).serve,
  },
  worker: {
    summary: 'make load for a controller that runs elsewhere (SWARMBENCH_WORKER_TOKEN: its token)',
    load: async () => (await import('./worker.js')).worker,
  },
  agent: {
    summary: 'statistics of the containers on this node, for Prometheus and the harness',
    load: async () => (await import('./agent.js')).agent,
  },
};
