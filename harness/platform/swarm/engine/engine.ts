/** A Docker engine behind narrow ports. Every call throws `EngineError`, or the signal's reason when aborted. */
import Docker from 'dockerode';
import { type DockerEnvironment, engineAddress } from './address.js';
import { type EngineInfo, info } from './answers.js';
import { engineCalls } from './calls.js';
import { type Containers, containersOf } from './containers.js';
import { type FileObjects, fileObjectsOf } from './file-objects.js';
import { type Images, imagesOf } from './images.js';
import { type Logs, logsOf } from './logs.js';
import { type Networks, networksOf } from './networks.js';
import { type Nodes, nodesOf } from './nodes.js';
import { type Services, servicesOf } from './services.js';
import { type Tasks, tasksOf } from './tasks.js';
import { type Volumes, volumesOf } from './volumes.js';

export interface Engine {
  /** As people write it: `unix:///var/run/docker.sock`. */
  readonly address: string;
  /** For what no port covers: building and moving images. */
  readonly docker: Docker;
  readonly services: Services;
  readonly tasks: Tasks;
  readonly networks: Networks;
  readonly configs: FileObjects;
  readonly secrets: FileObjects;
  readonly nodes: Nodes;
  readonly logs: Logs;
  readonly images: Images;
  /** Volumes and containers are those of this engine's node alone. */
  readonly volumes: Volumes;
  readonly containers: Containers;
  info(signal: AbortSignal): Promise<EngineInfo>;
}

/** Calls nobody yet. @param env DOCKER_HOST and its like @throws EngineError for an address that is none */
export function connectEngine(env: DockerEnvironment): Engine {
  const { text: address, options } = engineAddress(env);
  const docker = new Docker(options);
  const calls = engineCalls(docker, address);
  return {
    address,
    docker,
    services: servicesOf(calls),
    tasks: tasksOf(calls),
    networks: networksOf(calls),
    configs: fileObjectsOf(calls, 'config'),
    secrets: fileObjectsOf(calls, 'secret'),
    nodes: nodesOf(calls),
    logs: logsOf(calls),
    images: imagesOf(calls),
    volumes: volumesOf(calls),
    containers: containersOf(calls),
    info: (signal) => calls.call({ doing: 'asking what the engine is', method: 'GET', path: '/info' }, info, signal),
  };
}
