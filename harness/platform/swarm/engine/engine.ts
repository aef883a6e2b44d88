import Docker from 'dockerode';
import { z } from 'zod';
import type { FileSpec, NetworkSpec } from '../compose/swarm-types.js';
import { type DockerEnvironment, engineAddress } from './address.js';
import {
  type Container,
  container,
  type EngineInfo,
  type FileObject,
  fileObject,
  type Image,
  image,
  info,
  list,
  type Network,
  network,
  node,
  type SwarmNode,
  type Task,
  task,
  type Volume,
  volume,
} from './answers.js';
import { type EngineCalls, engineCalls, filters, nothing } from './calls.js';
import { isEngineError } from './engine-error.js';
import { type Logs, logsOf } from './logs.js';
import { type Services, servicesOf } from './services.js';

/** A Docker engine behind narrow ports. Every call throws `EngineError`, or the signal's reason when aborted. */

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

export interface Containers {
  /** Stopped ones too. */
  labelled(label: string, signal: AbortSignal): Promise<readonly Container[]>;
  /** Refused while it runs. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  running(signal: AbortSignal): Promise<readonly Container[]>;
}

export function containersOf({ call }: EngineCalls): Containers {
  return {
    labelled: (label, signal) =>
      call(
        {
          doing: 'listing containers',
          method: 'GET',
          path: '/containers/json',
          query: { all: true, ...filters({ label: [label] }) },
        },
        list(container),
        signal,
      ),
    remove: async (id, signal) =>
      void (await call(
        { doing: `removing container ${id.slice(0, 12)}`, method: 'DELETE', path: `/containers/${id}` },
        nothing,
        signal,
      )),
    running: (signal) =>
      call({ doing: 'listing containers', method: 'GET', path: '/containers/json' }, list(container), signal),
  };
}

export interface Images {
  /** As this engine's node has it; undefined when it does not. */
  find(reference: string, signal: AbortSignal): Promise<Image | undefined>;
  /** The digest that the registry has for it, asked by the engine. @throws EngineError with the registry's words */
  remoteDigest(reference: string, registryAuth: string | undefined, signal: AbortSignal): Promise<string>;
}

const distribution = z.looseObject({ Descriptor: z.looseObject({ digest: z.string() }) });

export function imagesOf({ call }: EngineCalls): Images {
  return {
    async find(reference, signal) {
      try {
        return await call(
          { doing: `looking for image ${reference}`, method: 'GET', path: `/images/${reference}/json` },
          image,
          signal,
        );
      } catch (error) {
        if (isEngineError(error, 'OBJECT_NOT_FOUND')) return undefined;
        throw error;
      }
    },
    remoteDigest: async (reference, registryAuth, signal) =>
      (
        await call(
          {
            doing: `asking the registry for ${reference}`,
            method: 'GET',
            path: `/distribution/${reference}/json`,
            registryAuth,
          },
          distribution,
          signal,
        )
      ).Descriptor.digest,
  };
}

export interface Networks {
  labelled(label: string, signal: AbortSignal): Promise<readonly Network[]>;
  /** By its exact name; undefined when there is none. */
  find(name: string, signal: AbortSignal): Promise<Network | undefined>;
  create(spec: NetworkSpec, signal: AbortSignal): Promise<string>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const createdNetwork = z.looseObject({ Id: z.string() });

export function networksOf({ call }: EngineCalls): Networks {
  const networks = (
    wanted: Readonly<Record<string, readonly string[]>>,
    signal: AbortSignal,
  ): Promise<readonly Network[]> =>
    call(
      { doing: 'listing networks', method: 'GET', path: '/networks', query: filters(wanted) },
      list(network),
      signal,
    );
  return {
    labelled: (label, signal) => networks({ label: [label] }, signal),
    // The engine's filter finds parts of names.
    find: async (name, signal) => (await networks({ name: [name] }, signal)).find(({ Name }) => Name === name),
    create: async (spec, signal) => {
      const body = { ...spec, CheckDuplicate: true };
      return (
        await call(
          { doing: `creating network ${spec.Name}`, method: 'POST', path: '/networks/create', body },
          createdNetwork,
          signal,
        )
      ).Id;
    },
    remove: async (id, signal) =>
      void (await call(
        { doing: `removing network ${id}`, method: 'DELETE', path: `/networks/${id}` },
        nothing,
        signal,
      )),
  };
}

export interface Nodes {
  /** @throws EngineError NOT_A_MANAGER */
  all(signal: AbortSignal): Promise<readonly SwarmNode[]>;
}

export function nodesOf({ call }: EngineCalls): Nodes {
  return { all: (signal) => call({ doing: 'listing nodes', method: 'GET', path: '/nodes' }, list(node), signal) };
}

export interface Tasks {
  /** Tasks whose container has the label; older ones of each slot included, as far as the swarm keeps them. */
  labelled(label: string, signal: AbortSignal): Promise<readonly Task[]>;
  /** Of these services, older ones of each slot included. */
  ofServices(serviceIds: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
  /** Of these services, and only those tasks that fit the service as it is now. */
  upToDate(serviceIds: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
}

export function tasksOf({ call }: EngineCalls): Tasks {
  const tasks = (wanted: Readonly<Record<string, readonly string[]>>, signal: AbortSignal): Promise<readonly Task[]> =>
    call({ doing: 'listing tasks', method: 'GET', path: '/tasks', query: filters(wanted) }, list(task), signal);
  return {
    labelled: (label, signal) => tasks({ label: [label] }, signal),
    ofServices: async (ids, signal) => (ids.length === 0 ? [] : tasks({ service: ids }, signal)),
    // `_up-to-date` is what the Docker CLI itself relies on (cli/command/service/progress).
    upToDate: async (ids, signal) => (ids.length === 0 ? [] : tasks({ service: ids, '_up-to-date': ['true'] }, signal)),
  };
}

export interface Volumes {
  labelled(label: string, signal: AbortSignal): Promise<readonly Volume[]>;
  remove(name: string, signal: AbortSignal): Promise<void>;
}

const volumeList = z.looseObject({ Volumes: list(volume) });

export function volumesOf({ call }: EngineCalls): Volumes {
  return {
    labelled: async (label, signal) =>
      (
        await call(
          { doing: 'listing volumes', method: 'GET', path: '/volumes', query: filters({ label: [label] }) },
          volumeList,
          signal,
        )
      ).Volumes,
    remove: async (name, signal) =>
      void (await call(
        { doing: `removing volume ${name}`, method: 'DELETE', path: `/volumes/${name}` },
        nothing,
        signal,
      )),
  };
}

/** Configs and secrets: the same calls under two names. */

export interface FileObjects {
  readonly kind: 'config' | 'secret';
  labelled(label: string, signal: AbortSignal): Promise<readonly FileObject[]>;
  all(signal: AbortSignal): Promise<readonly FileObject[]>;
  create(spec: FileSpec, signal: AbortSignal): Promise<string>;
  /** The engine takes a new content of the same name for an error; only labels can change. */
  update(before: FileObject, spec: FileSpec, signal: AbortSignal): Promise<void>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const createdFile = z.looseObject({ ID: z.string() });

export function fileObjectsOf({ call }: EngineCalls, kind: 'config' | 'secret'): FileObjects {
  const path = `/${kind}s`;
  return {
    kind,
    labelled: (label, signal) =>
      call(
        { doing: `listing ${kind}s`, method: 'GET', path, query: filters({ label: [label] }) },
        list(fileObject),
        signal,
      ),
    all: (signal) => call({ doing: `listing ${kind}s`, method: 'GET', path }, list(fileObject), signal),
    create: async (spec, signal) =>
      (
        await call(
          { doing: `creating ${kind} ${spec.Name}`, method: 'POST', path: `${path}/create`, body: spec },
          createdFile,
          signal,
        )
      ).ID,
    update: async ({ ID, Version }, spec, signal) =>
      void (await call(
        {
          doing: `updating ${kind} ${spec.Name}`,
          method: 'POST',
          path: `${path}/${ID}/update`,
          query: { version: Version.Index },
          body: spec,
        },
        nothing,
        signal,
      )),
    remove: async (id, signal) =>
      void (await call({ doing: `removing ${kind} ${id}`, method: 'DELETE', path: `${path}/${id}` }, nothing, signal)),
  };
}
