/**
 * The smallest servers on the official SDKs of other languages, and on FastMCP: over each way to reach them, what they
 * count is what we say.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { blocksOf, textOf } from '../support/documents.js';
import { describeWith } from '../support/needs.js';
import { swarmbench } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { callEcho, countCalls, ECHO, runBaseline } from './baseline-run.js';
import { answering, freePort, startOther } from './third-party-server.js';
import { type Built, goServer, javaServer, pythonServers, rustServer } from './toolchain.js';

jest.setTimeout(300_000);

interface Kit {
  readonly name: string;
  readonly built: Built;
  /** Starts the server in the mode that follows. */
  readonly command: (folder: string) => readonly string[];
  /** The newest era that it speaks over HTTP, which is what `auto` finds. */
  readonly newest: 'legacy' | 'modern';
}

// Python and Java mostly wait for the network while Go compiles.
const [python, go, java] = await Promise.all([pythonServers(), goServer(), javaServer()]);
const rust = await rustServer();
const kits: readonly Kit[] = [
  {
    name: 'Python',
    built: python,
    command: (at) => [join(at, 'bin/python'), join(at, 'server.py')],
    newest: 'modern',
  },
  {
    name: 'FastMCP of Python',
    built: python,
    command: (at) => [join(at, 'bin/python'), join(at, 'fastmcp_server.py')],
    newest: 'modern',
  },
  // With sessions, it speaks the session era alone.
  { name: 'Go', built: go, command: (at) => [join(at, 'server')], newest: 'legacy' },
  { name: 'Rust', built: rust, command: (at) => [join(at, 'server')], newest: 'modern' },
  {
    name: 'Java',
    built: java,
    command: (at) => ['java', '-XX:TieredStopAtLevel=1', '-cp', `${at}/lib/*:${at}/classes`, 'Server'],
    newest: 'legacy',
  },
];

function describeBuilt(built: Built, name: string, body: () => void): void {
  if (!built.ok && built.byChoice === true) describe.skip(`${name} (skipped: ${built.missing})`, body);
  else describeWith(built.ok ? undefined : built.missing, name, body);
}

for (const { name, built, command, newest } of kits)
  describeBuilt(built, `the SDK of ${name} counts what we say`, () => {
    const words = built.ok ? command(built.folder) : [];

    test('over HTTP: baseline with calls, then both ways to hold sessions', async () => {
      const counter = countCalls();
      const [port, stateless] = [await freePort(), await freePort()];
      const env = { CALLS: counter.file };
      startOther([...words, 'http', String(port)], env);
      startOther([...words, 'stateless', String(stateless)], env);
      const [url, statelessUrl] = [await answering(port), await answering(stateless)];
      const { succeeded, ...found } = await runBaseline(['--target', url, ...ECHO]);
      expect(found).toEqual({ era: newest, sessions: newest === 'legacy' });
      // One in the preflight.
      const ofRun = (succeeded.echo ?? 0) + 1;
      expect(counter.calls()).toBe(ofRun);
      expect(await callEcho({ url, headers: {} }, 'streamable-http', 'legacy')).toEqual({
        era: 'legacy',
        sessions: true,
        calls: 24,
      });
      expect(await callEcho({ url: statelessUrl, headers: {} }, 'streamable-http', 'legacy')).toEqual({
        era: 'legacy',
        sessions: false,
        calls: 24,
      });
      expect(counter.calls()).toBe(ofRun + 48);
    });

    test('over stdio', async () => {
      const counter = countCalls();
      const server = { command: [...words, 'stdio'], env: { CALLS: counter.file }, inherited: inherited() };
      const endpoint = { url: 'stdio://localhost', headers: {}, server };
      expect(await callEcho(endpoint, 'stdio', 'auto')).toMatchObject({ calls: 24 });
      expect(counter.calls()).toBe(24);
    });
  });

function inherited(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME };
}

describeBuilt(python, 'the Python server of the documents', () => {
  const [snippet = ''] = blocksOf(textOf('docs/configuration-files.md'), 'python');

  test('is looked at, and its tool is called: over HTTP, and a process for each session', async () => {
    const port = await freePort();
    const program = join(python.ok ? python.folder : '', 'bin/python');
    const file = join(tempFolder(), 'server.py');
    expect(snippet).toContain('port=3000');
    writeFileSync(file, snippet.replace('port=3000', `port=${port}`));
    startOther([program, file]);
    const target = await answering(port);
    const { stdout } = await swarmbench(['discover', '--target', target]);
    expect(stdout).toMatch(/search\(query: string\)/);
    expect(Object.keys((await runBaseline(['--target', target, '--tool', 'search'])).succeeded)).toEqual(['search']);
    writeFileSync(file, snippet.replace(/transport="streamable-http".*port=3000/, 'transport="stdio"'));
    const overStdio = await runBaseline(['--tool', 'search', '--', program, file]);
    expect(Object.keys(overStdio.succeeded)).toEqual(['search']);
  });
});
