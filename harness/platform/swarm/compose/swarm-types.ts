/**
 * The bodies of the Engine API (1.41 and later) that a compose file becomes. Names and units are the API's: durations
 * in nanoseconds, memory in bytes, processors in billionths. Source: docs.docker.com/reference/api/engine.
 */

export type Labels = Readonly<Record<string, string>>;

export interface ServiceSpec {
  readonly Name: string;
  readonly Labels: Labels;
  readonly TaskTemplate: TaskSpec;
  readonly Mode: ServiceMode;
  readonly UpdateConfig?: UpdateConfig;
  readonly RollbackConfig?: UpdateConfig;
  readonly EndpointSpec: EndpointSpec;
}

export interface TaskSpec {
  readonly ContainerSpec: ContainerSpec;
  readonly Resources: Resources;
  readonly RestartPolicy?: RestartPolicy;
  readonly Placement: Placement;
  readonly Networks?: readonly NetworkAttachment[];
  readonly LogDriver?: Driver;
  readonly ForceUpdate: number;
}

export interface ContainerSpec {
  readonly Image?: string;
  readonly Labels?: Labels;
  readonly Command?: readonly string[];
  readonly Args?: readonly string[];
  readonly Hostname?: string;
  readonly Env?: readonly string[];
  readonly Dir?: string;
  readonly User?: string;
  readonly Privileges?: {
    readonly CredentialSpec: CredentialSpec | null;
    readonly SELinuxContext: null;
    readonly NoNewPrivileges: boolean;
  };
  readonly Init?: boolean;
  readonly StopSignal?: string;
  readonly TTY?: boolean;
  readonly OpenStdin?: boolean;
  readonly ReadOnly?: boolean;
  readonly Mounts?: readonly Mount[];
  readonly StopGracePeriod?: number;
  readonly Healthcheck?: Healthcheck;
  readonly Hosts?: readonly string[];
  readonly DNSConfig?: { readonly Nameservers?: readonly string[]; readonly Search?: readonly string[] };
  readonly Secrets?: readonly SecretReference[];
  readonly Configs?: readonly ConfigReference[];
  readonly Isolation?: string;
  readonly Sysctls?: Labels;
  readonly CapabilityAdd?: readonly string[];
  readonly CapabilityDrop?: readonly string[];
  readonly Ulimits?: readonly Ulimit[];
}

export interface CredentialSpec {
  readonly Config: string;
  readonly File: string;
  readonly Registry: string;
}

export interface Mount {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: { readonly Propagation?: string };
  readonly VolumeOptions?: VolumeOptions;
  readonly TmpfsOptions?: { readonly SizeBytes?: number };
  readonly ClusterOptions?: Readonly<Record<string, never>>;
}

export interface VolumeOptions {
  readonly NoCopy?: boolean;
  readonly Labels?: Labels;
  readonly Subpath?: string;
  readonly DriverConfig?: Driver;
}

export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface FileTarget {
  readonly Name: string;
  readonly UID: string;
  readonly GID: string;
  readonly Mode: number;
}

/** The id is empty until the secret exists. */
export interface SecretReference {
  readonly File: FileTarget;
  readonly SecretID: string;
  readonly SecretName: string;
}

/** The id is empty until the config exists. A runtime target is read by the engine, not mounted. */
export interface ConfigReference {
  readonly File?: FileTarget;
  readonly Runtime?: Readonly<Record<string, never>>;
  readonly ConfigID: string;
  readonly ConfigName: string;
}

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

interface Driver {
  readonly Name?: string;
  readonly Options?: Labels;
}

export interface Resources {
  readonly Limits?: { readonly NanoCPUs?: number; readonly MemoryBytes?: number; readonly Pids?: number };
  readonly Reservations?: Reservations;
}

export interface Reservations {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
  readonly GenericResources?: readonly {
    readonly DiscreteResourceSpec?: { readonly Kind?: string; readonly Value?: number };
  }[];
}

export interface RestartPolicy {
  readonly Condition?: string;
  readonly Delay?: number;
  readonly MaxAttempts?: number;
  readonly Window?: number;
}

interface Placement {
  readonly Constraints?: readonly string[];
  readonly Preferences?: readonly { readonly Spread: { readonly SpreadDescriptor: string } }[];
  readonly MaxReplicas?: number;
}

export interface NetworkAttachment {
  readonly Target: string;
  readonly Aliases?: readonly string[];
  readonly DriverOpts?: Labels;
}

export interface ServiceMode {
  readonly Replicated?: { readonly Replicas?: number };
  readonly Global?: Readonly<Record<string, never>>;
  readonly ReplicatedJob?: { readonly MaxConcurrent?: number; readonly TotalCompletions?: number };
  readonly GlobalJob?: Readonly<Record<string, never>>;
}

export interface UpdateConfig {
  readonly Parallelism: number;
  readonly Delay?: number;
  readonly FailureAction?: string;
  readonly Monitor?: number;
  readonly MaxFailureRatio: number;
  readonly Order: string;
}

export interface EndpointSpec {
  readonly Mode?: string;
  readonly Ports?: readonly Port[];
}

interface Port {
  readonly Protocol?: string;
  readonly TargetPort?: number;
  readonly PublishedPort?: number;
  readonly PublishMode?: string;
}

export interface NetworkSpec {
  readonly Name: string;
  readonly Driver: string;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Labels: Labels;
  readonly Options?: Labels;
  readonly IPAM?: { readonly Driver?: string; readonly Config?: readonly { readonly Subnet?: string }[] };
}

/** A config or a secret. `Data` is base64 and absent when empty. */
export interface FileSpec {
  readonly Name: string;
  readonly Labels: Labels;
  readonly Data?: string;
  readonly Driver?: Driver;
  readonly Templating?: Driver;
}
