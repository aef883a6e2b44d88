/** Where the harness service of a stack can be reached from here. */
import type { Engine } from '../../platform/swarm/engine/engine.js';
import { findServices } from '../../platform/swarm/stack/find-service.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';

const SERVICE = 'harness';
const API_PORT = 8888;

/**
 * URL of its API, on the node that runs it.
 * @throws StackError UNKNOWN_STACK, UNKNOWN_SERVICE; CliError when its port is not published or it does not run
 */
export async function findHarness(engine: Engine, stack: string, signal: AbortSignal): Promise<string> {
  const [service] = await findServices(engine, stack, [SERVICE], signal);
  const port = service?.Spec.EndpointSpec?.Ports.find(({ TargetPort }) => TargetPort === API_PORT)?.PublishedPort;
  if (service === undefined || port === undefined || port === 0) {
    throw new CliError({
      code: 'HARNESS_NOT_PUBLISHED',
      message: `the harness of the stack ${stack} publishes no port`,
      hint: '--controller says where it can be reached',
    });
  }
  const tasks = await engine.tasks.upToDate([service.ID], signal);
  const task = tasks.find(({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running');
  if (task === undefined) {
    throw new CliError({
      code: 'HARNESS_NOT_RUNNING',
      message: `the harness of the stack ${stack} does not run`,
      hint: '`swarmbench status` and `swarmbench logs harness` say why',
      exitCode: exitCode.unreachable,
    });
  }
  const [info, nodes] = await Promise.all([engine.info(signal), engine.nodes.all(signal)]);
  const address =
    task.NodeID === info.Swarm.NodeID
      ? engineHost(engine.address)
      : (nodes.find(({ ID }) => ID === task.NodeID)?.Status.Addr ?? '127.0.0.1');
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The machine of the engine that we speak to. */
function engineHost(address: string): string {
  return address.startsWith('unix:') || !URL.canParse(address) ? '127.0.0.1' : new URL(address).hostname || '127.0.0.1';
}
