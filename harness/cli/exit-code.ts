/** What the process's exit code means (design: measurement). Scripts depend on these. */
export const exitCode = {
  passed: 0,
  internal: 1,
  usage: 2,
  unreachable: 3,
  untrusted: 4,
  thresholds: 99,
  interrupted: 130,
} as const;
