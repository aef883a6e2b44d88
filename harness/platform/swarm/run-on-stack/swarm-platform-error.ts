type SwarmPlatformErrorCode =
  /** The stack has no service that this run needs. */
  | 'STACK_INCOMPLETE'
  /** The gateway's configuration is not one of ours, so its stickiness cannot be changed. */
  | 'GATEWAY_FOREIGN'
  /** The gateway does not send to the replicas that run. */
  | 'GATEWAY_NOT_READY'
  /** Workers of a run that is over have not ended. */
  | 'WORKERS_LEFT';

/** A stack could not be prepared for a run or returned to idle. The codes are stable. */
export class SwarmPlatformError extends Error {
  override readonly name = 'SwarmPlatformError';

  constructor(
    readonly code: SwarmPlatformErrorCode,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}
