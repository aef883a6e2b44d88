import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Discovery,
  type DiscoveryOrder,
  discovery,
  type FoundTool,
} from '../../../client-sim/protocol/discovery.js';
import { commandEndpoint, endpointsFor, urlEndpoints } from '../../../client-sim/protocol/endpoints.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { addTargetOptions, namesServer, planOf, type TargetOptions } from '../options/load-options.js';
import { parseSeconds } from '../options/option-parsers.js';
import { oneLine, type Style, styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options extends TargetOptions {
  readonly wait?: number;
  readonly json?: boolean;
  readonly color: boolean;
}

/** The program of the workers, which speak to a server exactly as the load does. */
const ENTRY = fileURLToPath(new URL('../../../client-sim/main.js', import.meta.url));
/** Any scenario will do: only its target is used. */
const SCENARIO = 'baseline';

export const discover: CliCommand = {
  examples: [
    'swarmbench discover --target http://localhost:3000/mcp',
    'swarmbench discover -- node server.js',
    'swarmbench discover --config mcp.json --server mine --json',
    'swarmbench discover --target http://localhost:3000/mcp --wait 60',
  ],
  takesCommand: true,
  declare(command, host, finish) {
    addTargetOptions(command);
    command
      .option('--wait <seconds>', 'try again until the server answers, for at most so long', parseSeconds)
      .option('--json', 'print one JSON object on stdout, with all schemas')
      .action(async (options: Options) => {
        finish(await lookAt(options, host));
      });
  },
};

async function lookAt(options: Options, host: Host): Promise<number> {
  if (!namesServer(options, host)) {
    throw new CliError({
      code: 'USAGE',
      message: 'discover looks at a server, and none is named',
      hint: 'swarmbench discover --target URL, or swarmbench discover -- COMMAND',
    });
  }
  const order = orderOf(planOf(SCENARIO, { ...options, set: [], tool: [] }, host));
  const found = await askUntilAnswered(order, options.wait, host);
  if (options.json === true) host.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  else host.stdout.write(`${textOf(found, order, styleFor(host.stdout, host.env, options.color)).join('\n')}\n`);
  if (found.problem === undefined) return exitCode.passed;
  throw new CliError({
    code: 'PREFLIGHT_FAILED',
    message: found.problem,
    hint: 'Is the target up? Is the URL right? Does the target need a header (--header)?',
    exitCode: exitCode.unreachable,
  });
}

/** Of several addresses, the first. */
function orderOf({ target, profiles }: Plan): DiscoveryOrder {
  const transport = profiles[0]?.transport ?? 'streamable-http';
  const urls = target.kind === 'url' ? urlEndpoints(target) : [];
  const all = target.kind === 'command' ? [commandEndpoint(target)] : urls;
  const [endpoint] = endpointsFor(all, transport);
  if (endpoint !== undefined) return { endpoint, transport, era: target.era };
  throw new CliError({ code: 'INVALID_VALUE', message: `the server has no address for ${transport}` });
}

const RETRY_MS = 500;

/** A pipeline starts a server and then its benchmark, which must not begin before the server listens. */
async function askUntilAnswered(order: DiscoveryOrder, waitSeconds = 0, host: Host): Promise<Discovery> {
  const end = performance.now() + waitSeconds * 1000;
  while (true) {
    const found = await askProgram(order, host);
    if (found.problem === undefined || performance.now() + RETRY_MS >= end) return found;
    await sleep(RETRY_MS);
  }
}

/** @throws CliError when the program does not answer, or was interrupted */
function askProgram(order: DiscoveryOrder, host: Host): Promise<Discovery> {
  return new Promise((resolve, reject) => {
    const child = spawn(host.processes.execPath, [ENTRY, '--discover'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: host.cwd,
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    const ignore = host.onInterrupt((signal) => child.kill(signal));
    child.once('close', (code, signal) => {
      ignore();
      if (code === 0) return resolve(discovery.parse(JSON.parse(out)));
      const message = `the program that asks the server ended with ${signal ?? `code ${code}`}`;
      reject(
        new CliError({
          code: 'DISCOVERY',
          message,
          where: err,
          exitCode: signal === null ? exitCode.internal : exitCode.interrupted,
        }),
      );
    });
    child.stdin.on('error', () => undefined);
    // Not in the arguments, which every user of the machine can read.
    child.stdin.end(JSON.stringify(order));
  });
}

function textOf(found: Discovery, { endpoint, transport }: DiscoveryOrder, style: Style): readonly string[] {
  const { pinned, serverInfo, tools, forbiddenTools, resources, prompts, instructions } = found;
  const name = serverInfo === undefined ? 'a server without a name' : `${serverInfo.name} ${serverInfo.version}`;
  const address = endpoint.server === undefined ? shownUrl(endpoint.url) : endpoint.server.command.join(' ');
  if (pinned === undefined) return [`${style.bold('no MCP server')} at ${address}`];
  const sessions = pinned.sessions ? 'with session ids' : 'without session ids';
  const era = pinned.era === 'legacy' ? `session era, ${sessions}` : 'stateless era';
  return [
    style.bold(oneLine(name)),
    ...table([
      ['  address', address],
      ['  speaks', `MCP ${pinned.version} (${pinned.era}: ${era}) over ${transport}`],
      ['  offers', capabilitiesOf(found)],
      ...(instructions === undefined ? [] : [['  says', oneLine(instructions)]]),
    ]),
    '',
    style.bold(`Tools (${tools.length})`),
    ...tools.flatMap((tool) => toolLines(tool, style)),
    ...forbiddenTools.map(({ name: tool, why }) => `  ${style.red(oneLine(tool))}  must not be used: ${oneLine(why)}`),
    ...listLines('Resources', resources, 'uri', style),
    ...listLines('Prompts', prompts, 'name', style),
  ];
}

/** `tools, resources (subscribe)`. */
function capabilitiesOf({ capabilities }: Discovery): string {
  const texts = Object.entries(capabilities).map(([name, value]) => {
    const more = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    const on = more.filter(([, flag]) => flag === true).map(([flag]) => flag);
    return on.length === 0 ? name : `${name} (${on.join(', ')})`;
  });
  return texts.length === 0 ? 'nothing' : oneLine(texts.join(', '));
}

const HINTS: Readonly<Record<FoundTool['destructiveness'], string>> = {
  'read-only': 'read-only',
  additive: 'changes things, not destructive',
  destructive: 'destructive',
  unsaid: 'does not say whether it is destructive',
};

function toolLines(tool: FoundTool, style: Style): readonly string[] {
  const { entry, destructiveness, refused } = tool;
  const description = typeof entry.description === 'string' ? [`      ${style.dim(oneLine(entry.description))}`] : [];
  const title = `  ${style.cyan(oneLine(tool.name))}(${oneLine(signatureOf(entry.inputSchema))})`;
  const auto =
    refused === undefined
      ? `arguments: auto  calls it with ${oneLine(JSON.stringify(tool.arguments ?? {}))}`
      : `${style.yellow('arguments: auto')}  refuses it: ${oneLine(refused)}`;
  return [`${title}  ${HINTS[destructiveness]}`, ...description, `      ${auto}`];
}

/** `message: string, times?: integer`. */
function signatureOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return '';
  const { properties, required } = schema as { readonly properties?: unknown; readonly required?: unknown };
  if (typeof properties !== 'object' || properties === null) return '';
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(properties)
    .map(([name, property]) => `${name}${needed.includes(name) ? '' : '?'}: ${typeOf(property)}`)
    .join(', ');
}

function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return 'any';
  const { type, enum: choices } = schema as { readonly type?: unknown; readonly enum?: unknown };
  if (Array.isArray(choices)) return choices.map((choice) => JSON.stringify(choice)).join(' | ');
  if (Array.isArray(type)) return type.join(' | ');
  return typeof type === 'string' ? type : 'any';
}

const MAX_SHOWN = 20;

function listLines(
  title: string,
  entries: readonly Readonly<Record<string, unknown>>[],
  key: string,
  style: Style,
): readonly string[] {
  if (entries.length === 0) return [];
  const shown = entries.slice(0, MAX_SHOWN).map((entry) => {
    const description = typeof entry.description === 'string' ? entry.description : '';
    return [`  ${oneLine(String(entry[key]))}`, style.dim(oneLine(description))];
  });
  const more = entries.length > MAX_SHOWN ? [`  and ${entries.length - MAX_SHOWN} more (--json)`] : [];
  return ['', style.bold(`${title} (${entries.length})`), ...table(shown), ...more];
}
