import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../tests/support/package-root.js';
import {
  GATEWAY_DEFAULTS,
  gatewayFiles,
  renderGateway,
  STICKINESS,
  STICKY_PORTS,
  type Stickiness,
} from './render-gateway.js';

test.each([...gatewayFiles()])(
  '%s in the repository is what the code generates (if not: npm run build && node tools/generate.mjs)',
  (name, text) => {
    expect(readFileSync(join(packageRoot, 'swarm', 'gateway', name), 'utf8')).toBe(text);
  },
);

/** The backend of port 8080. */
function publishedBackend(sticky: Stickiness): string {
  return /^backend servers\n(?: {4}.*\n)+/m.exec(renderGateway({ sticky }))?.[0] ?? '';
}

describe('the gateway', () => {
  test.each(STICKINESS)('with stickiness %s has the settings that fault runs have shown to be needed', (sticky) => {
    const config = renderGateway({ sticky });
    for (const line of [
      'option abortonclose',
      'hold valid 1s',
      'accepted_payload_size 8192',
      'init-addr none',
      'on-marked-down shutdown-sessions',
    ])
      expect(config).toContain(line);
    // HAProxy does not start when it is told more than the limit on open files allows.
    expect(config).not.toMatch(/^\s*maxconn/m);
  });

  test('learns a session from the answer that opened it, only with stickiness session', () => {
    const learns = STICKINESS.filter((sticky) =>
      publishedBackend(sticky).includes('stick store-response res.hdr(Mcp-Session-Id)'),
    );
    expect(learns).toEqual(['session']);
  });

  test('without stickiness keeps no client at a replica', () => {
    expect(publishedBackend('none')).not.toMatch(/\bstick\b|cookie|balance source/);
  });

  test.each(STICKINESS)(
    'published as %s, has every stickiness at a port of its own with a backend of its own',
    (published) => {
      const config = renderGateway({ sticky: published });
      const backends = STICKINESS.map(
        (sticky) =>
          new RegExp(`frontend mcp_${sticky}\n    bind :${STICKY_PORTS[sticky]}\n    default_backend (\\S+)`).exec(
            config,
          )?.[1],
      );
      expect(backends).toEqual(STICKINESS.map((sticky) => (sticky === published ? 'servers' : `servers_${sticky}`)));
      for (const backend of backends)
        expect(config.split(`backend ${backend}\n`)).toHaveLength(backend === 'servers' ? 4 : 3);
    },
  );

  test.each(STICKINESS)('with stickiness %s names the server that gave each answer', (sticky) => {
    expect(publishedBackend(sticky)).toContain('http-response set-header X-Swarmbench-Server %si:%sp');
  });

  test('finds the given service at the given ports, up to the given number of servers', () => {
    const config = renderGateway({
      service: 'mine',
      port: 8000,
      streamPort: 9000,
      maxServers: 3,
      healthPath: '/ready',
    });
    expect(config).toContain('server-template mcp 1-3 tasks.mine:8000 ');
    expect(config).toContain('server-template stream 1-3 tasks.mine:9000 ');
    expect(config).toContain('option httpchk GET /ready');
  });

  test('checks only the connection when there is no health path', () => {
    expect(renderGateway({ ...GATEWAY_DEFAULTS, healthPath: undefined })).not.toContain('httpchk');
  });
});
