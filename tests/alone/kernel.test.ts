/** What the kernel can do, tried twice over: in a container of the engine, and in a namespace of this machine. */
import { release } from 'node:os';
import { beforeAll, expect, test } from '@jest/globals';
import { main } from '../../harness/cli/cli.js';
import { tryFaults } from '../../harness/platform/swarm/kernel/try-faults.js';
import { tryKernel } from '../../harness/platform/swarm/kernel/try-kernel.js';
import { testHost } from '../support/cli/test-host.js';
import { inContainer } from '../support/swarm/in-container.js';
import { offlineImages } from '../support/swarm/own-stack.js';
import { describeOnSwarm, engine } from '../support/swarm/swarm.js';
import { tempFolder } from '../support/temp-folder.js';

function soon(): AbortSignal {
  return AbortSignal.timeout(30_000);
}

await describeOnSwarm('the kernel below the engine', 'cli', () => {
  let nettools = '';

  beforeAll(async () => {
    nettools = (await offlineImages()).environment.NETTOOLS_IMAGE ?? '';
  }, 300_000);

  test('is tried in a container, which is gone afterwards', async () => {
    const facts = await tryKernel(engine, nettools, soon());
    expect(facts).toMatchObject({
      triedIn: 'container',
      openFiles: { soft: expect.any(Number), hard: expect.any(Number) },
    });
    expect([facts.vxlan.kind, facts.netem.kind]).not.toContain('unknown');
    expect(await engine.containers.labelled('swarmbench.trial', soon())).toEqual([]);
    // As Linux reports it to another container.
    const { stdout } = await inContainer(nettools, 'ulimit -n; cat /proc/sys/net/netfilter/nf_conntrack_max');
    expect(stdout.trim().split('\n').map(Number).slice(0, 2)).toEqual([
      facts.openFiles?.soft,
      ...(facts.conntrackMax === undefined ? [] : [facts.conntrackMax]),
    ]);
  }, 240_000);

  test('is found to be the same from outside, where that can be tried', async () => {
    const [inside, outside] = [await tryKernel(engine, nettools, soon()), await tryKernel(engine, undefined, soon())];
    if ((await engine.info(soon())).KernelVersion !== release() || outside.triedIn === undefined) {
      expect([outside.vxlan.kind, outside.ipvs.kind, outside.netem.kind]).toEqual(['unknown', 'unknown', 'unknown']);
      return;
    }
    expect(outside.triedIn).toBe('namespace');
    for (const name of ['vxlan', 'ipvs', 'netem'] as const)
      if (outside[name].kind !== 'unknown') expect(outside[name].kind).toBe(inside[name].kind);
  }, 240_000);

  test('has its lines in the output of the doctor, with the remedy', async () => {
    const host = testHost(['doctor', '--json'], {
      cwd: tempFolder(),
      env: {
        HOME: process.env.HOME ?? '/',
        NETTOOLS_IMAGE: nettools,
        ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
      },
    });
    await main(host);
    const { findings } = JSON.parse(host.out()) as {
      readonly findings: readonly { readonly name: string; readonly status: string; readonly mend?: string }[];
    };
    const { vxlan, ipvs, netem } = await tryKernel(engine, nettools, soon());
    for (const [name, { kind }] of [
      ['overlay networks', vxlan],
      ['virtual addresses', ipvs],
      ['packet delay', netem],
    ] as const) {
      const finding = findings.find((candidate) => candidate.name === name);
      expect({ name, ok: finding?.status === 'ok', mend: finding?.mend !== undefined }).toEqual({
        name,
        ok: kind === 'yes',
        mend: kind !== 'yes',
      });
    }
    expect(findings.map(({ name }) => name)).toContain('open files of containers');
    const tried = await tryFaults(engine, nettools, soon());
    expect(tried.map(({ ability }) => ability.kind)).not.toContain('unknown');
    expect(
      findings.flatMap(({ name, status }) => (name.startsWith('faults ') ? [[name, status === 'ok']] : [])),
    ).toEqual(tried.map(({ kinds, ability }) => [`faults ${kinds.join(', ')}`, ability.kind === 'yes']));
    expect(await engine.containers.labelled('swarmbench.trial', soon())).toEqual([]);
  }, 240_000);
});
