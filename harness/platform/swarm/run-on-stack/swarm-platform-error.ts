type SwarmPlatformErrorCode =
  /** The stack has no service that this run needs. */
  | 'STACK_INCOMPLETE'
  /** The gateway's configuration is not one of ours, so its stickiness cannot be changed. */
  | 'GATEWAY_FOREIGN'
  /** The gateway does not send to the replicas that run. */
  | 'GATEWAY_NOT_READY'
  /** Workers of a run that is over are still there. */
  | 'WORKERS_LEFT';

/** What can go wrong in bringing a stack from rest to what a run needs, beside what the engine and the deployer say. */
export class SwarmPlatformError extends Error {
  constructor(
    readonly code: SwarmPlatformErrorCode,
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = 'SwarmPlatformError';
  }
}
