/**
 * `npm run bench:engine -- [--rounds N] [--seconds N] [--only TEXT,TEXT] [--json FILE]`
 *
 * How fast the load generator is, against wrk and autocannon, and each transport against a peer of its own, in correct
 * answers per processor-second of the client: contestants on core 1, their servers on core 0, in interleaved rounds, so
 * that what the machine does meanwhile falls on all alike. Then loads by the clock. Each with its goal beside it.
 * `--only` chooses rows by parts of their names; wrk, to which all are compared, is always there.
 * Needs two cores, Debian's `wrk`, a C compiler for the server, `taskset` and `bash`.
 */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Contestant, contestants } from './contestants.js';
import { goalTable } from './goals.js';
import { isLoopbackTracked } from './loopback.js';
import { runMeasured } from './measured-command.js';
import { type PacedResult, type PacedRun, pacedLoads, pacedTable, runPaced, titleOf } from './paced.js';
import { type Sinks, startSinks } from './sinks.js';
import { type RoundResult, ratioTable, summarise } from './summary.js';

const CLIENT_CORE = 1;
const SINK_CORE = 0;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

await main(Number(values.rounds), Number(values.seconds));

async function main(rounds: number, seconds: number): Promise<void> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    process.stderr.write(`${missing}\n`);
    process.exitCode = 1;
    return;
  }
  const sinks = await startSinks(SINK_CORE);
  try {
    const tracked = await isLoopbackTracked(sinks.json);
    if (tracked === true)
      process.stderr.write(
        'the packet filter tracks connections on loopback (rules of Docker do that): every answer costs the kernel ' +
          'more, and all ratios are nearer to 1\n',
      );
    const chosen = contestants.filter(({ name }) => name === 'wrk' || isChosen(name));
    const results: RoundResult[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const contestant of chosen) results.push(await compete(contestant, round, sinks, seconds));
    }
    const paced: PacedResult[] = [];
    for (const load of pacedLoads.filter((one) => isChosen(titleOf(one)))) {
      const runs: PacedRun[] = [];
      for (let round = 1; round <= rounds; round++) runs.push(await runPaced(load, CLIENT_CORE, sinks.json, seconds));
      paced.push({ load, runs });
    }
    const summary = summarise(chosen, results);
    process.stdout.write(`${ratioTable(summary)}\n\n${goalTable(results)}\n\n${pacedTable(paced)}\n`);
    const record = {
      at: new Date().toISOString(),
      node: process.version,
      cpu: cpus()[0]?.model ?? '',
      loopbackTracked: tracked,
      rounds,
      seconds,
      summary,
      results,
      paced,
    };
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(record, undefined, 2)}\n`);
  } finally {
    sinks.close();
  }
}

function isChosen(name: string): boolean {
  return values.only.split(',').some((part) => name.includes(part));
}

async function compete(contestant: Contestant, round: number, sinks: Sinks, seconds: number): Promise<RoundResult> {
  const { requests, failed, cpuSeconds, userSeconds } = await runMeasured(
    CLIENT_CORE,
    contestant.command(sinks[contestant.target], seconds),
  );
  if (failed > 0)
    throw new Error(`${contestant.name}: ${failed} requests failed against the sink, so this measures something else`);
  const perCpuSecond = requests / cpuSeconds;
  const rate = Math.round(perCpuSecond).toLocaleString('en');
  process.stderr.write(`round ${round}  ${contestant.name.padEnd(24)} ${rate} per processor-second\n`);
  return { name: contestant.name, round, requests, cpuSeconds, userSeconds, perCpuSecond };
}

function whatIsMissing(): string | undefined {
  if (cpus().length < 2) return 'bench:engine needs two cores: one for the client, one for the sink.';
  for (const [tool, from] of [
    ['wrk', 'wrk'],
    ['cc', 'gcc'],
    ['taskset', 'util-linux'],
    ['bash', 'bash'],
  ] as const) {
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).error !== undefined) {
      return `bench:engine needs ${tool}, which is not installed here. On Debian or Ubuntu: apt-get install ${from}`;
    }
  }
  return undefined;
}
