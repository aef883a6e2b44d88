import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { ServiceSpec } from '../compose/swarm-types.js';
import type { Engine } from '../engine/engine.js';
import { FIXES, type KernelFacts, WANTED_CONNTRACK, WANTED_FILES } from '../kernel/kernel-facts.js';
import { tryKernel } from '../kernel/try-kernel.js';
import type { PreflightFinding } from './finding.js';

/** Finds abilities that the stack needs and the kernel lacks. @param trialImage see `tryKernel` */
export async function checkKernel(
  engine: Engine,
  stack: StackSpec,
  trialImage: string | undefined,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  return stack.services.some(isConnected) ? kernelFindings(stack, await tryKernel(engine, trialImage, signal)) : [];
}

/** An ability that was not tested is not a finding. Pure. */
export function kernelFindings(
  { services }: StackSpec,
  { vxlan, ipvs, openFiles, conntrackMax }: KernelFacts,
): readonly PreflightFinding[] {
  const findings: PreflightFinding[] = [];
  const warn = (code: PreflightFinding['code'], message: string, hint: string): void =>
    void findings.push({ level: 'warning', code, message, hint });
  const connected = services.filter(isConnected);
  if (vxlan.kind === 'no' && connected.length > 0) {
    warn(
      'NO_VXLAN',
      `the kernel has no overlay networks (${vxlan.reason}): services on different nodes cannot reach each other`,
      FIXES.vxlan,
    );
  }
  const virtual = connected.filter(hasVirtualAddress).map(({ Name }) => Name);
  if (ipvs.kind === 'no' && virtual.length > 0) {
    warn(
      'NO_IPVS',
      `the kernel has no IPVS (${ipvs.reason}): the virtual addresses and ingress ports of these services will not ` +
        `work: ${virtual.join(', ')}`,
      FIXES.ipvs,
    );
  }
  if (openFiles !== undefined && openFiles.soft < WANTED_FILES && connected.length > 0) {
    warn(
      'FEW_OPEN_FILES',
      `a container may open ${openFiles.soft} files here; thousands of connections need ${WANTED_FILES}`,
      FIXES.openFiles,
    );
  }
  if (conntrackMax !== undefined && conntrackMax < WANTED_CONNTRACK && connected.length > 0) {
    warn(
      'SMALL_CONNTRACK',
      `the kernel tracks at most ${conntrackMax} connections, and drops packets beyond that`,
      FIXES.conntrack,
    );
  }
  return findings;
}

function isConnected({ TaskTemplate }: ServiceSpec): boolean {
  return (TaskTemplate.Networks ?? []).length > 0;
}

/** The default is to have one (docs.docker.com, compose file version 3, `endpoint_mode`). */
function hasVirtualAddress({ EndpointSpec: { Mode = 'vip', Ports = [] } }: ServiceSpec): boolean {
  return Mode !== 'dnsrr' || Ports.some(({ PublishMode = 'ingress' }) => PublishMode === 'ingress');
}
