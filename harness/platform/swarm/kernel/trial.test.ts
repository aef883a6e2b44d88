import { expect, test } from '@jest/globals';
import { completed, untried } from './kernel-facts.js';
import { abilitiesOf } from './try-faults.js';
import { readTrial } from './try-kernel.js';

test('the lines of a trial are read', () => {
  const lines = [
    'vxlan yes',
    'netem no Error: Specified qdisc kind is unknown.',
    'ipvs unknown it is not loaded',
    'files 1024 unlimited',
    'conntrack 262144',
  ];
  expect(readTrial(lines.join('\r\n'), 'container')).toEqual({
    triedIn: 'container',
    vxlan: { kind: 'yes' },
    netem: { kind: 'no', reason: 'Error: Specified qdisc kind is unknown.' },
    ipvs: { kind: 'unknown', reason: 'it is not loaded' },
    openFiles: { soft: 1024, hard: Number.MAX_SAFE_INTEGER },
    conntrackMax: 262_144,
  });
});

test.each([
  ['nothing', '', 'the trial did not report it'],
  ['nonsense', 'vxlan perhaps', 'the trial did not report it'],
  [
    'a permission that we lack',
    'vxlan no RTNETLINK answers: Operation not permitted',
    'RTNETLINK answers: Operation not permitted',
  ],
])('%s is neither yes nor no', (_, output, reason) => {
  expect(readTrial(output, 'namespace')).toMatchObject({
    vxlan: { kind: 'unknown', reason },
    openFiles: undefined,
    conntrackMax: undefined,
  });
});

test('a namespace does not have the limits of a container', () => {
  expect(readTrial('files 5 5\nconntrack', 'namespace')).toMatchObject({
    openFiles: undefined,
    conntrackMax: undefined,
  });
});

test('abilities that one trial left unknown are taken from the other', () => {
  const first = readTrial('vxlan yes\nfiles 7 8', 'container');
  const second = readTrial('vxlan no really\nnetem yes\nconntrack 9', 'namespace');
  expect(completed(first, second)).toEqual({
    ...untried('the trial did not report it'),
    triedIn: 'container',
    vxlan: { kind: 'yes' },
    netem: { kind: 'yes' },
    openFiles: { soft: 7, hard: 8 },
    conntrackMax: 9,
  });
});

test('what faults need is read, by kind', () => {
  const found = abilitiesOf(
    'filter yes nft\r\ndelay yes nfqueue\r\nrate no Specified qdisc kind is unknown',
    undefined,
  );
  expect(found.map(({ kinds, ability, how }) => [kinds[0], ability, how])).toEqual([
    ['partition', { kind: 'yes' }, 'nft'],
    ['delay', { kind: 'yes' }, 'nfqueue'],
    ['rate', { kind: 'no', reason: 'Specified qdisc kind is unknown' }, ''],
    ['node-down', { kind: 'unknown', reason: 'the trial did not report it' }, ''],
  ]);
});
