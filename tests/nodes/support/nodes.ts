/**
 * Several engines on this machine as one Swarm (`tools/nodes-up.sh`), what runs on one of them, and what is left of
 * them.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectEngine, type Engine } from '../../../harness/platform/swarm/engine/engine.js';
import { describeWith } from '../../support/needs.js';
import { buildRoot, packageRoot } from '../../support/package-root.js';
import { type Program, startCommand } from '../../support/program.js';
import { missingEngine } from '../../support/swarm/swarm.js';

/** Also the beginning of namespaces, host names and control groups. */
const PREFIX = 'swarmbench-n';
const FOLDER = '/var/lib/swarmbench-nodes';
const PROGRAMS = ['dockerd', 'docker', 'ip', 'unshare', 'nsenter', 'setsid', 'flock'];

export interface TestNode {
  /** Its host name, and its network namespace's. */
  readonly name: string;
  /** In the network of the nodes. */
  readonly address: string;
  readonly dockerHost: string;
  readonly engine: Engine;
}

interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Needs root on Linux, Docker's programs, and an engine of the tests that images come from; CI has to have them. */
export async function describeOnNodes(name: string, body: () => void): Promise<void> {
  const missing = (await missingNodes()) ?? (await missingEngine());
  describeWith(missing, name, body);
}

async function missingNodes(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux';
  const found = await Promise.all(PROGRAMS.map((program) => run('sh', ['-c', `command -v ${program}`])));
  const missing = PROGRAMS.filter((_, index) => found[index]?.code !== 0);
  return missing.length === 0 ? undefined : `no ${missing.join(', ')}`;
}

/** The first is the manager. Safe to call again: engines that have died come back. */
export async function nodesUp(count: number): Promise<readonly TestNode[]> {
  const { code, stdout, stderr } = await nodesTool('nodes-up.sh', [String(count)]);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', address = '', dockerHost = ''] = line.split(' ');
      return { name, address, dockerHost, engine: connectEngine({ DOCKER_HOST: dockerHost }) };
    });
}

export async function nodesDown(): Promise<void> {
  const { code, stderr } = await nodesTool('nodes-down.sh', []);
  if (code !== 0) throw new Error(stderr);
}

export function nodesTool(
  name: 'nodes-up.sh' | 'nodes-down.sh',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ToolResult> {
  return run(join(packageRoot, 'tools', name), args, env);
}

/** The command line as a user on that node runs it. */
export function swarmbenchOn(
  { name, dockerHost }: TestNode,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Program {
  const command = [
    'nsenter',
    `--net=/run/netns/${name}`,
    process.execPath,
    join(buildRoot, 'harness/cli/main.js'),
    ...args,
  ];
  return startCommand(command, { ...env, DOCKER_HOST: dockerHost }, cwd, `on ${name}: swarmbench ${args.join(' ')}`);
}

/** As when a machine crashes: no container gets a signal. */
export function killEngine(node: TestNode): void {
  process.kill(Number(readFileSync(join(FOLDER, node.name.replace(PREFIX, 'n'), 'dockerd.pid'), 'utf8')), 'SIGKILL');
}

/** Namespaces, links, control groups, processes, mounts and folders of nodes, one line each. */
export async function leftOfNodes(): Promise<readonly string[]> {
  const [namespaces, links, groups] = await Promise.all([
    run('ip', ['netns', 'list']),
    run('ip', ['-o', 'link']),
    run('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `${PREFIX}[0-9]*`]),
  ]);
  const lines = (what: string, { stdout }: ToolResult, pattern: RegExp): readonly string[] =>
    stdout
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${what} ${line}`);
  return [
    ...lines('namespace', namespaces, /^swarmbench-/),
    ...lines('link', links, /\b(?:to-n\d|swarmbench)/),
    ...lines('control group', groups, /./),
    ...readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .flatMap(partOfNode),
    ...(existsSync(FOLDER) ? [`folder ${FOLDER}`] : []),
  ];
}

/** A process that was started with our folder, is in one of our control groups, or sees one of our mounts. */
function partOfNode(pid: string): readonly string[] {
  const text = (file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  const command = text('cmdline').replaceAll('\0', ' ');
  const isOurs =
    command.includes(`${FOLDER}/`) || text('cgroup').includes(`/${PREFIX}`) || text('mountinfo').includes(`${FOLDER}/`);
  // A user's shell in that folder is no engine.
  return isOurs && !/^(?:\S*\/)?(?:ba|da)?sh /.test(command) ? [`process ${pid} ${command}`] : [];
}

async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ToolResult> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      env: { ...process.env, ...env },
      maxBuffer: 10 * 2 ** 20,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const {
      code,
      stdout = '',
      stderr = String(error),
    } = error as { readonly code?: unknown; readonly stdout?: string; readonly stderr?: string };
    return { code: typeof code === 'number' ? code : 1, stdout, stderr };
  }
}
