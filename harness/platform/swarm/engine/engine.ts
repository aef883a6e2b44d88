/** A Docker engine behind narrow interfaces. Calls throw `EngineError`, or the signal's reason when aborted. */
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
import { type EngineCalls, engineCalls, filters, ignored } from './calls.js';
import { isEngineError } from './engine-error.js';
import { type Logs, logsOf } from './logs.js';
import { type Services, servicesOf } from './services.js';

export interface Engine {
  /** As people write it: `unix:///var/run/docker.sock`. */
  readonly address: string;
  /** For building and moving images. */
  readonly docker: Docker;
  readonly services: Services;
  readonly tasks: Tasks;
  readonly networks: Networks;
  readonly configs: FileObjects;
  readonly secrets: FileObjects;
  readonly nodes: Nodes;
  readonly logs: Logs;
  readonly images: Images;
  /** Volumes and containers are only those on the node of this engine. */
  readonly volumes: Volumes;
  readonly containers: Containers;
  info(signal: AbortSignal): Promise<EngineInfo>;
}

/** Makes no call yet. @param env DOCKER_HOST and the like @throws EngineError when DOCKER_HOST is not an address */
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
    info: (signal) =>
      calls.call({ action: 'asking for engine information', method: 'GET', path: '/info' }, info, signal),
  };
}

interface Containers {
  /** Stopped ones, too. */
  labelled(label: string, signal: AbortSignal): Promise<readonly Container[]>;
  /** The engine refuses this while the container runs. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  running(signal: AbortSignal): Promise<readonly Container[]>;
}

function containersOf({ call }: EngineCalls): Containers {
  return {
    labelled: (label, signal) =>
      call(
        {
          action: 'listing containers',
          method: 'GET',
          path: '/containers/json',
          query: { all: true, ...filters({ label: [label] }) },
        },
        list(container),
        signal,
      ),
    remove: async (id, signal) =>
      void (await call(
        { action: `removing container ${id.slice(0, 12)}`, method: 'DELETE', path: `/containers/${id}` },
        ignored,
        signal,
      )),
    running: (signal) =>
      call({ action: 'listing containers', method: 'GET', path: '/containers/json' }, list(container), signal),
  };
}

interface Images {
  /** On the node of this engine; undefined when it does not have the image. */
  find(reference: string, signal: AbortSignal): Promise<Image | undefined>;
  /** The digest in the registry, which the engine asks. @throws EngineError with the registry's message */
  remoteDigest(reference: string, registryAuth: string | undefined, signal: AbortSignal): Promise<string>;
}

const distribution = z.looseObject({ Descriptor: z.looseObject({ digest: z.string() }) });

function imagesOf({ call }: EngineCalls): Images {
  return {
    async find(reference, signal) {
      try {
        return await call(
          { action: `looking for image ${reference}`, method: 'GET', path: `/images/${reference}/json` },
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
            action: `asking the registry for ${reference}`,
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

interface Networks {
  labelled(label: string, signal: AbortSignal): Promise<readonly Network[]>;
  /** By its exact name; undefined when there is none. */
  find(name: string, signal: AbortSignal): Promise<Network | undefined>;
  create(spec: NetworkSpec, signal: AbortSignal): Promise<string>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const createdNetwork = z.looseObject({ Id: z.string() });

function networksOf({ call }: EngineCalls): Networks {
  const networks = (
    wanted: Readonly<Record<string, readonly string[]>>,
    signal: AbortSignal,
  ): Promise<readonly Network[]> =>
    call(
      { action: 'listing networks', method: 'GET', path: '/networks', query: filters(wanted) },
      list(network),
      signal,
    );
  return {
    labelled: (label, signal) => networks({ label: [label] }, signal),
    // The engine's filter also finds parts of names.
    find: async (name, signal) => (await networks({ name: [name] }, signal)).find(({ Name }) => Name === name),
    create: async (spec, signal) => {
      const body = { ...spec, CheckDuplicate: true };
      return (
        await call(
          { action: `creating network ${spec.Name}`, method: 'POST', path: '/networks/create', body },
          createdNetwork,
          signal,
        )
      ).Id;
    },
    remove: async (id, signal) =>
      void (await call(
        { action: `removing network ${id}`, method: 'DELETE', path: `/networks/${id}` },
        ignored,
        signal,
      )),
  };
}

interface Nodes {
  /** @throws EngineError NOT_A_MANAGER */
  all(signal: AbortSignal): Promise<readonly SwarmNode[]>;
  /** @param availability `active`, `pause` or `drain` */
  setAvailability(id: string, availability: string, signal: AbortSignal): Promise<void>;
}

const NODE_TRIES = 5;

function nodesOf({ call }: EngineCalls): Nodes {
  return {
    all: (signal) => call({ action: 'listing nodes', method: 'GET', path: '/nodes' }, list(node), signal),
    async setAvailability(id, availability, signal) {
      for (let tries = 1; ; tries += 1) {
        const now = await call({ action: `reading node ${id}`, method: 'GET', path: `/nodes/${id}` }, node, signal);
        if (now.Spec.Availability === availability) return;
        const request = {
          action: `updating node ${now.Description.Hostname}`,
          method: 'POST',
          path: `/nodes/${id}/update`,
          query: { version: now.Version.Index },
          body: { ...now.Spec, Availability: availability },
        } as const;
        try {
          await call(request, ignored, signal);
          return;
        } catch (error) {
          if (!isEngineError(error, 'OUT_OF_SEQUENCE') || tries === NODE_TRIES) throw error;
        }
      }
    },
  };
}

interface Tasks {
  /** By a label of the container; with older tasks of each slot, as far as the swarm keeps them. */
  labelled(label: string, signal: AbortSignal): Promise<readonly Task[]>;
  /** With older tasks of each slot. */
  ofServices(serviceIds: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
  /** Only tasks that fit the current spec of their service. */
  upToDate(serviceIds: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
}

function tasksOf({ call }: EngineCalls): Tasks {
  const tasks = (wanted: Readonly<Record<string, readonly string[]>>, signal: AbortSignal): Promise<readonly Task[]> =>
    call({ action: 'listing tasks', method: 'GET', path: '/tasks', query: filters(wanted) }, list(task), signal);
  return {
    labelled: (label, signal) => tasks({ label: [label] }, signal),
    ofServices: async (ids, signal) => (ids.length === 0 ? [] : tasks({ service: ids }, signal)),
    // The Docker CLI itself relies on `_up-to-date` (cli/command/service/progress).
    upToDate: async (ids, signal) => (ids.length === 0 ? [] : tasks({ service: ids, '_up-to-date': ['true'] }, signal)),
  };
}

interface Volumes {
  labelled(label: string, signal: AbortSignal): Promise<readonly Volume[]>;
  remove(name: string, signal: AbortSignal): Promise<void>;
}

const volumeList = z.looseObject({ Volumes: list(volume) });

function volumesOf({ call }: EngineCalls): Volumes {
  return {
    labelled: async (label, signal) =>
      (
        await call(
          { action: 'listing volumes', method: 'GET', path: '/volumes', query: filters({ label: [label] }) },
          volumeList,
          signal,
        )
      ).Volumes,
    remove: async (name, signal) =>
      void (await call(
        { action: `removing volume ${name}`, method: 'DELETE', path: `/volumes/${name}` },
        ignored,
        signal,
      )),
  };
}

/** Configs or secrets, which have the same calls. */
export interface FileObjects {
  readonly kind: 'config' | 'secret';
  labelled(label: string, signal: AbortSignal): Promise<readonly FileObject[]>;
  all(signal: AbortSignal): Promise<readonly FileObject[]>;
  create(spec: FileSpec, signal: AbortSignal): Promise<string>;
  /** Only labels can change: the engine refuses new content under the same name. */
  update(before: FileObject, spec: FileSpec, signal: AbortSignal): Promise<void>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const createdFile = z.looseObject({ ID: z.string() });

function fileObjectsOf({ call }: EngineCalls, kind: 'config' | 'secret'): FileObjects {
  const path = `/${kind}s`;
  return {
    kind,
    labelled: (label, signal) =>
      call(
        { action: `listing ${kind}s`, method: 'GET', path, query: filters({ label: [label] }) },
        list(fileObject),
        signal,
      ),
    all: (signal) => call({ action: `listing ${kind}s`, method: 'GET', path }, list(fileObject), signal),
    create: async (spec, signal) =>
      (
        await call(
          { action: `creating ${kind} ${spec.Name}`, method: 'POST', path: `${path}/create`, body: spec },
          createdFile,
          signal,
        )
      ).ID,
    update: async ({ ID, Version }, spec, signal) =>
      void (await call(
        {
          action: `updating ${kind} ${spec.Name}`,
          method: 'POST',
          path: `${path}/${ID}/update`,
          query: { version: Version.Index },
          body: spec,
        },
        ignored,
        signal,
      )),
    remove: async (id, signal) =>
      void (await call({ action: `removing ${kind} ${id}`, method: 'DELETE', path: `${path}/${id}` }, ignored, signal)),
  };
}
