/**
 * The answers of the engine, as far as we read them, with the names of its API. The schemas are loose: engines add
 * fields, and a spec that is read, changed and sent back must keep those that we do not know.
 */
import { z } from 'zod';

/** Go writes a missing map or list as null. */
const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

export function list<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((value): z.output<Item>[] => value ?? []);
}
const empty = z.looseObject({});
/** Counts the runs of a job; the engine leaves out a zero. */
const iteration = z.looseObject({ Index: z.number().default(0) });

const port = z.looseObject({
  Protocol: z.string().default('tcp'),
  TargetPort: z.number().default(0),
  PublishedPort: z.number().default(0),
  PublishMode: z.string().default('ingress'),
});

const containerSpec = z.looseObject({
  Image: z.string().default(''),
  TTY: z.boolean().default(false),
  Configs: list(z.looseObject({ ConfigID: z.string(), ConfigName: z.string() })),
  Secrets: list(z.looseObject({ SecretID: z.string(), SecretName: z.string() })),
});

const serviceSpec = z.looseObject({
  Name: z.string(),
  Labels: labels,
  TaskTemplate: z.looseObject({
    ContainerSpec: containerSpec.optional(),
    RestartPolicy: z.looseObject({ Condition: z.string().optional(), Delay: z.number().optional() }).optional(),
    ForceUpdate: z.number().default(0),
  }),
  Mode: z.looseObject({
    Replicated: z.looseObject({ Replicas: z.number().optional() }).optional(),
    Global: empty.optional(),
    ReplicatedJob: z
      .looseObject({ MaxConcurrent: z.number().optional(), TotalCompletions: z.number().optional() })
      .optional(),
    GlobalJob: empty.optional(),
  }),
  UpdateConfig: z.looseObject({ FailureAction: z.string().optional() }).optional(),
  EndpointSpec: z.looseObject({ Mode: z.string().optional(), Ports: list(port) }).optional(),
});

export const service = z.looseObject({
  ID: z.string(),
  Version: z.looseObject({ Index: z.number() }),
  CreatedAt: z.string(),
  UpdatedAt: z.string(),
  Spec: serviceSpec,
  /** About the last update, however old. */
  UpdateStatus: z
    .looseObject({ State: z.string().default(''), StartedAt: z.string().optional(), Message: z.string().default('') })
    .optional(),
  JobStatus: z.looseObject({ JobIteration: iteration.optional() }).optional(),
});

export const task = z.looseObject({
  ID: z.string(),
  ServiceID: z.string().default(''),
  /** 0 for tasks of global services. */
  Slot: z.number().default(0),
  /** Empty until the task has a node. */
  NodeID: z.string().default(''),
  CreatedAt: z.string(),
  DesiredState: z.string(),
  Status: z.looseObject({
    Timestamp: z.string(),
    State: z.string(),
    Message: z.string().default(''),
    Err: z.string().default(''),
    ContainerStatus: z.looseObject({ ContainerID: z.string().default(''), ExitCode: z.number().default(0) }).nullish(),
  }),
  Spec: z.looseObject({ ContainerSpec: z.looseObject({ Image: z.string().default('') }).optional() }),
  JobIteration: iteration.optional(),
});

export const network = z.looseObject({
  Name: z.string(),
  Id: z.string(),
  Scope: z.string().default(''),
  Driver: z.string().default(''),
  Labels: labels,
});

/** A config or a secret; the engine never returns the data of a secret. */
export const fileObject = z.looseObject({
  ID: z.string(),
  Version: z.looseObject({ Index: z.number() }),
  CreatedAt: z.string(),
  Spec: z.looseObject({ Name: z.string(), Labels: labels, Data: z.string().optional() }),
});

export const volume = z.looseObject({ Name: z.string(), Driver: z.string(), Labels: labels });

export const node = z.looseObject({
  ID: z.string(),
  Version: z.looseObject({ Index: z.number() }),
  Spec: z.looseObject({ Labels: labels, Role: z.string(), Availability: z.string() }),
  Description: z.looseObject({
    Hostname: z.string(),
    Platform: z.looseObject({ Architecture: z.string().default(''), OS: z.string().default('') }).optional(),
    Resources: z.looseObject({ NanoCPUs: z.number().default(0), MemoryBytes: z.number().default(0) }).optional(),
    Engine: z.looseObject({ EngineVersion: z.string().default('') }).optional(),
  }),
  Status: z.looseObject({ State: z.string(), Addr: z.string().default(''), Message: z.string().default('') }),
  /** Of a manager. */
  ManagerStatus: z.looseObject({ Leader: z.boolean().default(false), Reachability: z.string().default('') }).nullish(),
});

export const container = z.looseObject({
  Id: z.string(),
  Names: list(z.string()),
  State: z.string(),
  Labels: labels,
  Ports: list(z.looseObject({ PublicPort: z.number().optional(), Type: z.string().default('tcp') })),
});

export const image = z.looseObject({
  Id: z.string(),
  RepoTags: list(z.string()),
  /** Empty when the image was never in a registry. */
  RepoDigests: list(z.string()),
  Size: z.number().default(0),
});

export const info = z.looseObject({
  Name: z.string().default(''),
  ServerVersion: z.string().default(''),
  OperatingSystem: z.string().default(''),
  KernelVersion: z.string().default(''),
  NCPU: z.number().default(0),
  MemTotal: z.number().default(0),
  Swarm: z.looseObject({
    NodeID: z.string().default(''),
    /** `inactive`, `pending`, `active`, `locked` or `error`. */
    LocalNodeState: z.string().default('inactive'),
    ControlAvailable: z.boolean().default(false),
    Error: z.string().default(''),
  }),
});

export type Service = z.output<typeof service>;
export type Task = z.output<typeof task>;
export type Network = z.output<typeof network>;
export type FileObject = z.output<typeof fileObject>;
export type Volume = z.output<typeof volume>;
export type SwarmNode = z.output<typeof node>;
export type Container = z.output<typeof container>;
export type Image = z.output<typeof image>;
export type EngineInfo = z.output<typeof info>;
