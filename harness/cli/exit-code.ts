/** The exit codes of the process. Scripts depend on them. */
export const exitCode = {
  passed: 0,
  internal: 1,
  usage: 2,
  unreachable: 3,
  /** The run is invalid or incomplete, or the stack is not as wanted. */
  untrusted: 4,
  /** Of a comparison. */
  regressed: 5,
  inconclusive: 6,
  thresholds: 99,
  interrupted: 130,
} as const;
