import { describe, expect, test } from '@jest/globals';
import { minimal, planOf, problemsOf } from '../../tests/support/scenarios/files.js';
import { redactPlan } from './redact.js';

function gateway(more: string): string {
  return `${minimal}target: { server: { url: "http://localhost:3000/mcp" }, ${more} }\n`;
}
const call = 'prepare: { url: "http://localhost:3000/servers" }';

describe('servers behind a gateway', () => {
  test('are as many as the number says, each with a name of its own', () => {
    const { upstreams } = planOf(gateway(`upstreams: 3, ${call}`));
    expect(upstreams).toEqual({
      servers: [1, 2, 3].map((number) => ({ name: `upstream${number}`, tools: 5 })),
      prepare: { kind: 'call', url: 'http://localhost:3000/servers', method: 'POST', headers: {} },
      timeoutMs: 60_000,
    });
  });

  test('take the sizes of a list in turn', () => {
    const text = gateway(
      `upstreams: { count: 3, tools: [1, 100], answerBytes: 9, pageSize: [7] }, ${call}, prepareTimeout: 5m`,
    );
    expect(planOf(text).upstreams).toMatchObject({
      servers: [
        { name: 'upstream1', tools: 1, answerBytes: 9, pageSize: 7 },
        { name: 'upstream2', tools: 100, answerBytes: 9, pageSize: 7 },
        { name: 'upstream3', tools: 1, answerBytes: 9, pageSize: 7 },
      ],
      timeoutMs: 300_000,
    });
  });

  test('may stand behind a gateway that the command line names', () => {
    const text = `${minimal}target: { upstreams: 2, prepare: [./register] }\n`;
    expect(planOf(text, { targets: ['http://localhost:9/mcp'] }).upstreams?.prepare).toEqual({
      kind: 'command',
      command: ['./register'],
    });
    expect(problemsOf(text)).toContain('these servers stand behind a gateway, and the target is none');
  });

  test('a call takes variables of the environment, and no secret of it is shown', () => {
    const prepare =
      'prepare: { url: "http://localhost:3000/{{ name }}?key=${K}", method: PUT, ' +
      'headers: { authorization: "Bearer ${K}" }, body: { at: "{{url}}", list: [1, true, "${K}"] } }';
    const plan = planOf(gateway(`upstreams: 1, ${prepare}`), { env: { K: 's3cret' } });
    expect(plan.upstreams?.prepare).toEqual({
      kind: 'call',
      url: 'http://localhost:3000/{{ name }}?key=s3cret',
      method: 'PUT',
      headers: { authorization: 'Bearer s3cret' },
      body: { at: '{{url}}', list: [1, true, 's3cret'] },
    });
    expect(JSON.stringify(redactPlan(plan))).not.toContain('s3cret');
  });

  test.each([
    ['upstreams: 2', 'nothing tells the gateway of these servers'],
    [call, 'there are no servers to tell a gateway of'],
    ['prepareTimeout: 5s', 'there are no servers to tell a gateway of'],
    ['upstreams: 0, prepare: [a]', 'must be at least 1'],
    ['upstreams: 501, prepare: [a]', 'must be at most 500'],
    ['upstreams: 2, prepare: []', 'must be at least 1'],
    ['upstreams: 2, prepare: { url: "ftp://localhost/" }', '`ftp:` is not the scheme'],
    ['upstreams: 2, prepare: { url: "ws://localhost/" }', 'a gateway is told over http or https'],
    ['upstreams: 2, prepare: { url: "http://example.com/" }', 'example.com is neither'],
    ['upstreams: 2, prepare: { url: "http://localhost/{{ nmae }}" }', '`{{ nmae }}` is not known here'],
    ['upstreams: 2, prepare: { url: "http://localhost/", body: { a: "${GONE}" } }', 'variable GONE is not set'],
    ['upstreams: 2, prepare: { url: "http://localhost/", method: GET, body: x }', 'a GET has no body'],
    ['upstreams: 2, prepare: { url: "http://localhost/", headers: { "a b": x } }', 'is not a header name'],
  ])('%s', (more, problem) => {
    expect(problemsOf(gateway(more))).toContain(problem);
  });

  test('are refused beside arms, and a command in a request to a controller', () => {
    const arms = 'arms: { a: {}, b: { server: { url: "http://localhost:2/mcp" } } }\n';
    expect(problemsOf(gateway(`upstreams: 2, ${call}`) + arms)).toContain('only one gateway is told of its servers');
    expect(problemsOf(gateway('upstreams: 2, prepare: [a]'), { sentSecrets: {} })).toContain('starts no commands');
  });
});
