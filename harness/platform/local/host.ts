/**
 * What the local platform needs of its own process; `cli/host.ts` provides it, so that nothing here touches `process`.
 */
export interface ProcessHost {
  /** The Node that runs the programs: the same one that runs us. */
  readonly execPath: string;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** kill(2): a negative number names a process group; signal 0 only asks. False when there is no such process. */
  kill(pid: number, signal: NodeJS.Signals | 0): boolean;
}

export class PlatformError extends Error {
  override readonly name = 'PlatformError';

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}
