/** Reasons of a verdict that blame this machine, which may be busy with other tests; anything else is the run's own. */
const OF_THE_MACHINE = /^(worker \S+ used|the arrivals of worker|more than half of|the generator decides whether)/;

export function withoutMachineReasons(reasons: readonly string[]): readonly string[] {
  return reasons.filter((reason) => !OF_THE_MACHINE.test(reason));
}
