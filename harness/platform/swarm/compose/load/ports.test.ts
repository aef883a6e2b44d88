import { describe, expect, test } from '@jest/globals';
import { parsePortSpec } from './ports.js';

describe('port mappings', () => {
  const tcp = (target: number, published = 0, ip = '') => ({ protocol: 'tcp', target, published, ip });
  test.each([
    ['80', [tcp(80)]],
    ['8080:80', [tcp(80, 8080)]],
    ['8080:80/UDP', [{ ...tcp(80, 8080), protocol: 'udp' }]],
    ['80/', [tcp(80)]],
    ['1.2.3.4:8080:80', [tcp(80, 8080, '1.2.3.4')]],
    ['[::1]:8080:80', [tcp(80, 8080, '::1')]],
    ['1.2.3.4::80', [tcp(80, 0, '1.2.3.4')]],
    ['9-10', [tcp(10), tcp(9)]],
    ['9000-9001:90-91', [tcp(90, 9000), tcp(91, 9001)]],
    ['9000-9001:90', [tcp(90, 9000), tcp(90, 9001)]],
  ])('%s', (spec, mappings) => {
    expect(parsePortSpec(spec)).toEqual({ kind: 'ports', mappings });
  });
  test.each(['', ':', 'x', '80:', '80/icmp', '65536', '-1', '2-1', '1-2:1-3', '1:1-2', 'host:1:2', ' 80'])(
    '%j is refused',
    (spec) => {
      expect(parsePortSpec(spec).kind).toBe('wrong');
    },
  );
});
