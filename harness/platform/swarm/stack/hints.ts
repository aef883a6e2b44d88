/** What to do about the words of a task. */
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /no such image: \S+[.:]\S*\/|no basic auth credentials|unauthorized/i,
    '`swarmbench images` makes our images; other nodes get them with --load or --push. A registry that wants a login: `docker login` here, and --with-registry-auth',
  ],
  [
    /no such image|pull access denied|manifest unknown|not found: manifest/i,
    '`swarmbench images` makes our images (`--offline` where nothing can be pulled); other nodes get them with --load or --push',
  ],
  [
    /host-mode port already in use/i,
    'another service of this swarm publishes that port on the same node: `docker service ls` shows which',
  ],
  [/address already in use/i, 'another program on that node listens on the port; stop it, or publish another port'],
  [/insufficient resources/i, 'lower the reservations of the service, or add nodes'],
  [
    /scheduling constraints not satisfied|no active node fits/i,
    'no node fits `deploy.placement.constraints`: `docker node ls`, `docker node update --label-add`',
  ],
  [/max replicas per node/i, 'more replicas than `max_replicas_per_node` allows on these nodes'],
  [/not available for new tasks/i, 'a node is drained or paused: `docker node update --availability active NODE`'],
  [/bind source path does not exist/i, 'the folder must exist on the node that runs the task'],
  [/exit \(137\)/, 'killed, perhaps for want of memory: look at the limits of the service'],
  [/setting rlimit/i, 'the engine cannot raise its limits that far: lower `ulimits`'],
];

export function hintFor(words: string, service: string): string {
  return (
    hints.find(([pattern]) => pattern.test(words))?.[1] ??
    `\`docker service logs ${service}\` or \`swarmbench logs\` shows what it wrote`
  );
}
