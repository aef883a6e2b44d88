import { expect, test } from '@jest/globals';
import { stackOf } from '../../../../tests/support/compose/compose.js';
import { type KernelFacts, untried } from '../kernel/kernel-facts.js';
import { kernelFindings } from './check-kernel.js';

const bare: KernelFacts = {
  triedIn: 'container',
  vxlan: { kind: 'no', reason: 'no vxlan' },
  ipvs: { kind: 'no', reason: 'no ipvs' },
  netem: { kind: 'no', reason: 'no netem' },
  openFiles: { soft: 1024, hard: 1024 },
  conntrackMax: 1000,
};
function codes(services: string, facts: KernelFacts): readonly string[] {
  return kernelFindings(stackOf(`services: { ${services} }`), facts).map(({ code }) => code);
}

test.each([
  [
    'virtual addresses',
    'a: { image: i, deploy: { endpoint_mode: vip } }',
    ['NO_VXLAN', 'NO_IPVS', 'FEW_OPEN_FILES', 'SMALL_CONNTRACK'],
  ],
  ['virtual addresses by default', 'a: { image: i }', ['NO_VXLAN', 'NO_IPVS', 'FEW_OPEN_FILES', 'SMALL_CONNTRACK']],
  [
    'no virtual address',
    'a: { image: i, deploy: { endpoint_mode: dnsrr }, ports: [{ target: 1, published: 2, mode: host }] }',
    ['NO_VXLAN', 'FEW_OPEN_FILES', 'SMALL_CONNTRACK'],
  ],
])('a stack with %s', (_, services, expected) => {
  expect(codes(services, bare)).toEqual(expected);
});

test('an ability that was not tested is not a finding', () => {
  expect(codes('a: { image: i }', untried('may not'))).toEqual([]);
});
