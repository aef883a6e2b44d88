import type { CliCommand } from './command.js';

interface CommandEntry {
  readonly summary: string;
  /** Commands are loaded when they are asked for: `swarmbench list` should not have to load an API and a renderer. */
  readonly load: () => Promise<CliCommand>;
}

/** In the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: 'run scenarios and write their reports (default: smoke, against the reference server)',
    load: async () => (await import('./run.js')).run,
  },
  list: {
    summary: 'list the scenarios and client profiles that come with swarmbench, or the servers in a configuration file',
    load: async () => (await import('./list.js')).list,
  },
  discover: {
    summary: 'look at a server: what it speaks and offers, its tools, and what a scenario could not call',
    load: async () => (await import('./discover.js')).discover,
  },
  plan: {
    summary: 'show what a scenario would do, and whether it can run here, without running it',
    load: async () => (await import('./plan.js')).plan,
  },
  validate: {
    summary: 'check scenario files and show every problem with its file, line and column',
    load: async () => (await import('./validate.js')).validate,
  },
  schema: {
    summary: 'print the JSON Schema of scenario files, profile files or reports',
    load: async () => (await import('./schema.js')).schema,
  },
  report: {
    summary: 'write the reports of a run again, from its log',
    load: async () => (await import('./report.js')).report,
  },
  compare: {
    summary: 'compare runs with others: regressed, improved, equivalent or inconclusive',
    load: async () => (await import('./compare.js')).compare,
  },
  history: {
    summary: 'keep the figures of runs in a file, one line a run, and show how they went',
    load: async () => (await import('./history.js')).history,
  },
  results: {
    summary: 'list, show and delete runs, and fetch those of a harness elsewhere',
    load: async () => (await import('./results.js')).results,
  },
  plot: {
    summary: 'lay percentile spectra of runs, and of files of other tools, over each other',
    load: async () => (await import('./plot.js')).plot,
  },
  noise: {
    summary: 'measure how much the figures of a scenario differ between runs, so that comparisons know',
    load: async () => (await import('./noise.js')).noise,
  },
  capacity: {
    summary: 'find the highest rate at which a target still meets the thresholds of a scenario',
    load: async () => (await import('./capacity.js')).capacity,
  },
  calibrate: {
    summary: 'measure how much load this machine can generate',
    load: async () => (await import('./calibrate.js')).calibrate,
  },
  doctor: {
    summary: 'check whether this machine is fit for benchmarks, and show how to fix what is not',
    load: async () => (await import('./doctor.js')).doctor,
  },
  images: {
    summary: 'build the images of the stack and distribute them to the nodes of the swarm',
    load: async () => (await import('./images.js')).images,
  },
  up: {
    summary: 'deploy the stack to a Docker Swarm, or update what has changed, and wait until it runs',
    load: async () => (await import('./up.js')).up,
  },
  status: {
    summary: 'show which services of the stack run, and why the others do not',
    load: async () => (await import('./status.js')).status,
  },
  scale: {
    summary: 'set the number of replicas of one or more services',
    load: async () => (await import('./scale.js')).scale,
  },
  logs: {
    summary: 'show the logs of one or more services',
    load: async () => (await import('./logs.js')).logs,
  },
  down: {
    summary: 'remove the stack and wait until nothing of it is left',
    load: async () => (await import('./down.js')).down,
  },
  heal: {
    summary: 'undo faults that a killed run has left behind',
    load: async () => (await import('./heal.js')).heal,
  },
  serve: {
    summary: 'serve the REST API; also resumes the unfinished runs of a controller that was killed',
    load: async () => (await import('./serve.js')).serve,
  },
  token: {
    summary: 'list, add and revoke the tokens of the REST API',
    load: async () => (await import('./token.js')).token,
  },
  worker: {
    summary: 'start a worker for a controller elsewhere; its token is read from SWARMBENCH_WORKER_TOKEN',
    load: async () => (await import('./worker.js')).worker,
  },
  agent: {
    summary: "serve statistics of this node's containers to Prometheus and the harness",
    load: async () => (await import('./agent.js')).agent,
  },
};
