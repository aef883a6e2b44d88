/** The images of this project's own programs. */

export interface OwnImage {
  readonly name: string;
  /** Selects the image in the stack file. */
  readonly variable: string;
  /** Compiled programs, from the build's root. Everything they import comes along. */
  readonly entries: readonly string[];
  /** Folders below the package's root whose YAML files the programs read. */
  readonly data: readonly string[];
}

export const OWN_IMAGES = [
  {
    name: 'harness',
    variable: 'HARNESS_IMAGE',
    // The programs that its local platform and `swarmbench worker` start are found by path, not by import.
    entries: [
      'harness/cli/main.js',
      'client-sim/main.js',
      'swarm/reference-server/main.js',
      'swarm/reference-server/sink.js',
    ],
    data: ['scenarios'],
  },
  { name: 'client-sim', variable: 'CLIENT_SIM_IMAGE', entries: ['client-sim/main.js'], data: [] },
  {
    name: 'mcp-server',
    variable: 'MCP_SERVER_IMAGE',
    entries: ['swarm/reference-server/main.js', 'swarm/reference-server/sink.js'],
    data: [],
  },
  { name: 'agent', variable: 'AGENT_IMAGE', entries: ['harness/cli/main.js'], data: [] },
] as const satisfies readonly OwnImage[];

export type OwnImageName = (typeof OWN_IMAGES)[number]['name'];

/** The prefix of every image made here. */
export const REPOSITORY = 'mcp-swarm-bench';

/** On every image made here: what it was made from. */
export const CONTENT_LABEL = 'io.mcp-swarm-bench.content';
