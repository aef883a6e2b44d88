/**
 * Compose files after reading and merging, before conversion. Absent values are undefined, durations are nanoseconds,
 * and what can still be refused after merging carries its place.
 */
import type { Position } from '../../../../scenarios/yaml/problem.js';

export interface Located<T> {
  readonly value: T;
  readonly at: Position;
}

export interface ComposeModel {
  /** The N of the format 3.N. */
  readonly format: Located<number>;
  readonly services: ReadonlyMap<string, ComposeService>;
  readonly networks: ReadonlyMap<string, ComposeNetwork>;
  readonly volumes: ReadonlyMap<string, ComposeVolume>;
  readonly secrets: ReadonlyMap<string, ComposeFileObject>;
  readonly configs: ReadonlyMap<string, ComposeFileObject>;
}

export type Pairs = Readonly<Record<string, string>>;

export interface ComposeService {
  readonly name: string;
  readonly at: Position;
  readonly image: Located<string> | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly hostname: string | undefined;
  readonly user: string | undefined;
  readonly workingDir: string | undefined;
  readonly stopSignal: string | undefined;
  readonly isolation: string | undefined;
  readonly stopGracePeriodNs: number | undefined;
  readonly tty: boolean | undefined;
  readonly stdinOpen: boolean | undefined;
  readonly readOnly: boolean | undefined;
  readonly init: boolean | undefined;
  readonly restart: Located<string> | undefined;
  /** Null for a variable that is named without a value. */
  readonly environment: Readonly<Record<string, string | null>>;
  readonly labels: Pairs | undefined;
  readonly sysctls: Pairs | undefined;
  readonly dns: readonly string[] | undefined;
  readonly dnsSearch: readonly string[] | undefined;
  /** `name:address` each. */
  readonly extraHosts: readonly string[] | undefined;
  readonly capAdd: readonly string[] | undefined;
  readonly capDrop: readonly string[] | undefined;
  readonly ulimits: Readonly<Record<string, ComposeUlimit>> | undefined;
  readonly logging: ComposeLogging | undefined;
  readonly healthcheck: ComposeHealthcheck | undefined;
  readonly credentialSpec: ComposeCredentialSpec | undefined;
  readonly networks: ReadonlyMap<string, ComposeAttachment> | undefined;
  readonly ports: readonly ComposePort[] | undefined;
  readonly volumes: readonly ComposeMount[] | undefined;
  readonly secrets: readonly ComposeReference[] | undefined;
  readonly configs: readonly ComposeReference[] | undefined;
  readonly deploy: ComposeDeploy;
}

export interface ComposeUlimit {
  readonly soft: number;
  readonly hard: number;
}

export interface ComposeLogging {
  readonly at: Position;
  readonly driver: string | undefined;
  readonly options: Pairs | undefined;
}

export interface ComposeHealthcheck {
  readonly at: Position;
  readonly test: readonly string[] | undefined;
  readonly intervalNs: number | undefined;
  readonly timeoutNs: number | undefined;
  readonly startPeriodNs: number | undefined;
  readonly startIntervalNs: number | undefined;
  readonly retries: number | undefined;
  readonly disable: boolean | undefined;
}

export interface ComposeCredentialSpec {
  readonly at: Position;
  readonly config: string | undefined;
  readonly file: string | undefined;
  readonly registry: string | undefined;
}

export interface ComposeAttachment {
  readonly at: Position;
  /** False when only the name is given. */
  readonly detailed: boolean;
  readonly aliases: readonly string[] | undefined;
  readonly driverOpts: Pairs | undefined;
}

export interface ComposePort {
  readonly at: Position;
  readonly target: number;
  readonly published: number;
  readonly protocol: string | undefined;
  readonly mode: string | undefined;
}

export interface ComposeMount {
  readonly at: Position;
  readonly type: string;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly readOnly: boolean;
  readonly consistency: string | undefined;
  readonly bind: { readonly propagation: string | undefined } | undefined;
  readonly volume: { readonly noCopy: boolean; readonly subpath: string | undefined } | undefined;
  readonly tmpfs: { readonly sizeBytes: number } | undefined;
}

export interface ComposeReference {
  readonly at: Position;
  readonly source: string;
  readonly target: string | undefined;
  readonly uid: string | undefined;
  readonly gid: string | undefined;
  readonly mode: number | undefined;
}

export interface ComposeDeploy {
  readonly mode: Located<string> | undefined;
  readonly replicas: Located<number> | undefined;
  readonly endpointMode: string | undefined;
  readonly labels: Pairs | undefined;
  readonly limits: ComposeLimits | undefined;
  readonly reservations: ComposeReservations | undefined;
  readonly restartPolicy: ComposeRestartPolicy | undefined;
  readonly updateConfig: ComposeUpdateConfig | undefined;
  readonly rollbackConfig: ComposeUpdateConfig | undefined;
  readonly constraints: readonly string[] | undefined;
  readonly spread: readonly string[] | undefined;
  readonly maxReplicasPerNode: number | undefined;
}

export interface ComposeLimits {
  readonly cpus: Located<string> | undefined;
  readonly memoryBytes: number | undefined;
  readonly pids: number | undefined;
}

export interface ComposeReservations {
  readonly cpus: Located<string> | undefined;
  readonly memoryBytes: number | undefined;
  /** An item without a specification is kept as an empty one. */
  readonly generic: readonly (ComposeGenericResource | undefined)[] | undefined;
}

interface ComposeGenericResource {
  readonly kind: string | undefined;
  readonly value: number | undefined;
}

export interface ComposeRestartPolicy {
  readonly condition: string | undefined;
  readonly delayNs: number | undefined;
  readonly maxAttempts: number | undefined;
  readonly windowNs: number | undefined;
}

export interface ComposeUpdateConfig {
  readonly parallelism: number | undefined;
  readonly delayNs: number | undefined;
  readonly failureAction: string | undefined;
  readonly monitorNs: number | undefined;
  readonly maxFailureRatio: number | undefined;
  readonly order: string | undefined;
}

export interface ComposeNetwork {
  readonly at: Position;
  readonly name: string | undefined;
  readonly external: boolean;
  readonly driver: string | undefined;
  readonly driverOpts: Pairs | undefined;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipamDriver: string | undefined;
  /** The subnet of each pool, "" where it names none. */
  readonly ipamSubnets: readonly string[];
  readonly labels: Pairs | undefined;
}

export interface ComposeVolume {
  readonly at: Position;
  readonly name: string | undefined;
  readonly external: boolean;
  readonly driver: string | undefined;
  readonly driverOpts: Pairs | undefined;
  readonly labels: Pairs | undefined;
}

/** A config or a secret. */
export interface ComposeFileObject {
  readonly at: Position;
  readonly name: string | undefined;
  readonly external: boolean;
  /** Absolute; undefined for an external one and for one that a driver supplies. */
  readonly file: string | undefined;
  readonly driver: string | undefined;
  readonly driverOpts: Pairs | undefined;
  readonly templateDriver: string | undefined;
  readonly labels: Pairs | undefined;
}
