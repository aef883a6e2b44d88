/** Faults of single replicas on a real engine: each is seen in the data plane, and leaves nothing behind. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Report } from '../../../harness/report/schema.js';
import { readEvents } from '../../support/run-files.js';
import { dockerOfTests } from '../../support/swarm/own-stack.js';
import { simpleScenario } from '../../support/swarmbench.js';
import type { RunStack } from '../support/run-stack.js';

/** What showed each of them, in the order of time, as they are numbered. Those at a time strike different tasks. */
const FAULTS = [
  [{ at: '2s', kind: 'delay', replica: 1, delay: '80ms', for: '6s' }, /a connection takes \d+\.\d ms; \d+ packets/],
  [{ at: '3s', kind: 'partition', replica: 2, for: '5s' }, /mcp-server\.2: \d+ packets dropped/],
  [{ at: '13s', kind: 'loss', replica: 3, loss: '20%', for: '6s' }, /mcp-server\.3: \d+ of \d+ packets dropped/],
  [
    { at: '13s', kind: 'dns', replica: 2, lookup: 'tasks.harness', answer: 'nxdomain', for: '5s' },
    /mcp-server\.2: tasks\.harness is unknown there; \d+ answers were changed \(nft\)/,
  ],
  [
    { at: '13s', kind: 'dns', worker: 1, lookup: 'gateway', answer: 'slow', delay: '300ms', for: '6s' },
    /client-sim-\w+\.1: a look-up of gateway takes \d+ ms there; \d+ answers were changed/,
  ],
  [{ at: '14s', kind: 'reset', replica: 1, for: '4s' }, /\d+ of \d+ packets answered with a reset/],
  [{ at: '24s', kind: 'rate', replica: 2, rate: '4 kB/s', for: '6s' }, /\d+ times packets were held back/],
  [{ at: '25s', kind: 'pause', replica: 3, for: '5s' }, /frozen, it takes connections and says nothing/],
  [{ at: '36s', kind: 'cpu', replica: 1, cpu: '50%', for: '6s' }, /\d+ ms of processor time were burnt/],
  [{ at: '36s', kind: 'memory', replica: 2, memory: '300 MiB', for: '5s' }, /its limit is 314572800 bytes/],
  [{ at: '37s', kind: 'kill', replica: 3 }, /gone, exit code 137/],
] as const;

/** On a stack that is deployed and idle. */
export function describeReplicaFaults(stack: RunStack): void {
  describe('with faults of single replicas', () => {
    let report: Report;
    let output = '';
    beforeAll(async () => {
      const faults = FAULTS.map(([fault]) => fault);
      const target = { server: 'reference', replicas: 3, era: 'legacy' };
      const program = stack.run(simpleScenario({ clients: 9, arrivals: { rate: '10/s' } }, 50, { target, faults }));
      await program.ended;
      output = program.stderr();
      report = stack.report(program);
    }, 240_000);

    test('each proves itself by what packets, processes and the engine say', () => {
      const settled = readEvents(stack.latest).flatMap((event) =>
        event.type === 'fault.settled' && event.phase === 'injected' ? [event] : [],
      );
      const evidence = FAULTS.map((_, index) => settled.find(({ faultId }) => faultId === `f${index + 1}`)?.evidence);
      expect({ evidence, output }).toEqual({
        evidence: FAULTS.map(([, pattern]) => expect.stringMatching(pattern)),
        output: expect.any(String),
      });
    });

    test('each is undone, and that is verified', () => {
      const events = readEvents(stack.latest);
      expect(events.filter(({ type }) => type === 'fault.left' || type === 'fault.failed')).toEqual([]);
      const undone = events.filter((event) => event.type === 'fault.settled' && event.phase === 'undone');
      expect(undone).toHaveLength(FAULTS.length);
    });

    test('no helper is left on the engine', async () => {
      expect(await dockerOfTests().listContainers({ all: true, filters: { label: ['swarmbench.fault'] } })).toEqual([]);
    });

    test('the report tells what each caused, and notes none of it as happened by itself', () => {
      const death = report.incidents?.find(({ what }) => what === 'task-died');
      expect(death).toMatchObject({ subject: 'mcp-server.3', exitCode: 137, fault: 'f11' });
      expect(report.notes.filter((note) => note.includes('mcp-server.3'))).toEqual([]);
    });
  });
}
