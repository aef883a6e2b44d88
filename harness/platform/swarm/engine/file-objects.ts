/** Configs and secrets: the same calls under two names. */
import { z } from 'zod';
import type { FileSpec } from '../compose/swarm-types.js';
import { type FileObject, fileObject, list } from './answers.js';
import { type EngineCalls, filters, nothing } from './calls.js';

export interface FileObjects {
  readonly kind: 'config' | 'secret';
  labelled(label: string, signal: AbortSignal): Promise<readonly FileObject[]>;
  all(signal: AbortSignal): Promise<readonly FileObject[]>;
  create(spec: FileSpec, signal: AbortSignal): Promise<string>;
  /** The engine takes a new content of the same name for an error; only labels can change. */
  update(before: FileObject, spec: FileSpec, signal: AbortSignal): Promise<void>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const created = z.looseObject({ ID: z.string() });

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
          created,
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
