export interface WorkerOptions {
  readonly controllerUrl: string;
  /** Of role `worker`; not needed where the controller is bound to loopback. */
  readonly token?: string;
  /** Wished place in the order of allocation, from 1. */
  readonly slot?: number;
  /** Engine threads. */
  readonly threads: number;
  readonly maxClients?: number;
  readonly maxRate?: number;
  /** Where to serve Prometheus; port 0 takes any free one. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** A file that the controller keeps touching; the worker ends when it no longer does. */
  readonly leaseFile?: string;
  readonly version: string;
  readonly log: (text: string) => void;
}

export interface WorkerSignals {
  /** Finish: stop sending, await the answers, deliver the measurements, end. */
  readonly drain: AbortSignal;
  /** End now; the last measurements get two seconds. */
  readonly cut: AbortSignal;
}

export type WorkerEnd =
  | { readonly kind: 'stopped' }
  /** Nobody at the other end, and nothing left to deliver. */
  | { readonly kind: 'alone'; readonly why: string }
  | { readonly kind: 'lease-stale'; readonly why: string }
  /** The controller does not want this worker. */
  | { readonly kind: 'refused'; readonly why: string };
