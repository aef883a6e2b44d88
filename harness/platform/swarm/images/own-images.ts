/** The images of our own programs. */

export interface OwnImage {
  readonly name: string;
  /** The variable that selects the image in the stack file. */
  readonly variable: string;
  /** Compiled programs, from the root of the build. Everything they import is added. */
  readonly entries: readonly string[];
  /** Folders in the root of the package whose YAML files the programs read. */
  readonly data: readonly string[];
  /** Every node needs it. */
  readonly inStack: boolean;
}

/** The local platform and `swarmbench worker` start programs by path, not by import. */
const COMMAND_LINE = [
  'harness/cli/main.js',
  'client-sim/main.js',
  'swarm/reference-server/main.js',
  'swarm/reference-server/sink.js',
] as const;

export const OWN_IMAGES = [
  {
    name: 'harness',
    variable: 'HARNESS_IMAGE',
    entries: COMMAND_LINE,
    data: ['scenarios'],
    inStack: true,
  },
  { name: 'client-sim', variable: 'CLIENT_SIM_IMAGE', entries: ['client-sim/main.js'], data: [], inStack: true },
  {
    name: 'mcp-server',
    variable: 'MCP_SERVER_IMAGE',
    entries: ['swarm/reference-server/main.js', 'swarm/reference-server/sink.js'],
    data: [],
    inStack: true,
  },
  { name: 'agent', variable: 'AGENT_IMAGE', entries: ['harness/cli/main.js'], data: [], inStack: true },
  { name: 'cli', variable: 'CLI_IMAGE', entries: COMMAND_LINE, data: ['scenarios'], inStack: false },
] as const satisfies readonly OwnImage[];

export type OwnImageName = (typeof OWN_IMAGES)[number]['name'];

/** The prefix of the names of all our images. */
export const REPOSITORY = 'mcp-swarm-bench';

/** The label of all our images: a digest of what they were made from. */
export const CONTENT_LABEL = 'io.mcp-swarm-bench.content';
