import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { fixedDelay, rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { isAlive } from '../support/program.js';
import { eventsOf, readRun } from '../support/run-files.js';
import { run, simpleScenario, startRun, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { onTestEnd } from '../support/test-end.js';
import { until } from '../support/until.js';

const steady = { clients: 2, arrivals: { rate: '20/s' } };

/** The verdicts for which the machine has to be quiet are in tests/alone/verdicts.test.ts. */
describe('verdicts and exit codes that do not depend on how busy the machine is', () => {
  test('a target that is not there: 3, with the reason', async () => {
    const { port, close } = await closedPort();
    close();
    const { code, stdout, stderr } = await swarmbench([
      'run',
      writeScenario(simpleScenario(steady, 3)),
      '--target',
      `http://127.0.0.1:${port}/mcp`,
      '--out',
      tempFolder(),
    ]);
    expect(code).toBe(3);
    expect(stdout + stderr).toMatch(/ECONNREFUSED|refused/);
  });

  test('a target that is no MCP server: 3, showing what was asked and what came', async () => {
    const page = createHttpServer((_request, response) =>
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nothing here</h1>'),
    );
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    onTestEnd(() => page.close());
    const { port } = page.address() as AddressInfo;
    const { code, output, folder } = await run({
      scenario: simpleScenario(steady, 3),
      target: `http://127.0.0.1:${port}/mcp`,
    });
    expect(code).toBe(3);
    expect(output).toContain('HTTP 404');
    expect(output).toMatch(/it sent[\s\S]*"initialize"[\s\S]*and got[\s\S]*nothing here/);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toMatch(/initialize[\s\S]*nothing here/);
  });

  test('load that the target does not take: 99, saying what to do', async () => {
    const { url } = await startTestServer({ behaviour: fixedDelay(200) });
    const { code, report } = await run({
      scenario: simpleScenario({ arrivals: { rate: '40/s' }, maxInFlight: 1 }, 3),
      target: url,
    });
    expect([code, report.verdict.kind]).toEqual([99, 'failed']);
    expect(report.summary.dropped).toBeGreaterThan(50);
    expect(report.verdict.reasons.join()).toMatch(/not delivered[\s\S]*(maxInFlight|rate)/);
  });

  test('sessions that take a second to open in a measured stage are told beside the latency', async () => {
    const { url } = await startTestServer({ behaviour: rightly, opensAfterMs: 1_000 });
    const { report, folder } = await run({ scenario: simpleScenario(steady, 3), target: url });
    expect(report.summary.latencyMs.max).toBeGreaterThan(900);
    expect(report.notes.join('\n')).toMatch(
      /^2 sessions of profile caller opened in the measured stage steady, which took up to [\d.]+ s: what was due/m,
    );
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toMatch(/Connect, whole run \| p50 1\.\d+ s/);
  });

  test('Ctrl-C: 130, and still a report', async () => {
    const { url, log } = await startTestServer({ behaviour: rightly });
    const { program, results } = startRun({ scenario: simpleScenario(steady, 60), target: url });
    await until('the first calls', () => log.calls.length > 20);
    program.kill('SIGINT');
    expect(await program.ended).toBe(130);
    const { report, telemetry, events } = readRun(results);
    expect(eventsOf(events, 'program.started').filter(({ program: { pid } }) => isAlive(pid))).toEqual([]);
    expect(report.verdict.kind).toBe('incomplete');
    expect(telemetry.flatMap(({ batch }) => batch.series).reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(
      log.calls.length,
    );
    expect(log.sessionsDeleted).toBe(log.sessionsOpened);
  });

  test('a closed terminal, then Ctrl-C: 130 at once, without the last answers, and still a report', async () => {
    const { url, log } = await startTestServer({ behaviour: (call) => (call.number > 5 ? undefined : call.answer()) });
    const { program, results } = startRun({
      scenario: simpleScenario({ ...steady, timeout: '60s' }, 60, { drain: '60s' }),
      target: url,
    });
    await until('calls without an answer', () => log.calls.length > 10);
    program.kill('SIGHUP');
    await pause(1_000);
    expect(isAlive(program.pid)).toBe(true);
    program.kill('SIGINT');
    expect(await program.ended).toBe(130);
    const { report, events } = readRun(results);
    expect([report.verdict.kind, report.summary.sent]).toEqual(['incomplete', log.calls.length]);
    expect(report.verdict.reasons.join()).toMatch(/interrupted before its end: SIGHUP/);
    expect(eventsOf(events, 'program.started').filter(({ program: { pid } }) => isAlive(pid))).toEqual([]);
  });

  test('a broken scenario: 2, with file, line, column and the nearest key, all at once', async () => {
    const file = writeScenario({
      ...simpleScenario(steady, 3),
      stages: [{ name: 'a', durration: '3s' }],
      thresholds: ['latency.p95 < 10 parsecs'],
    });
    const { code, stderr } = await swarmbench(['run', file]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/test\.yaml:\d+:\d+/);
    expect(stderr).toContain('did you mean "duration"?');
    expect(stderr).toContain('parsecs');
  });

  test('a wrong option: 2', async () => {
    expect((await swarmbench(['run', '--sed', '4'])).code).toBe(2);
  });
});

async function closedPort(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
