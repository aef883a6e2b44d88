/** What of the official conformance suite is asked of us, and what is known not to pass, with its reason. */

export const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
/** The suite needs it; swarmbench itself does not. */
export const SUITE_NODE = 'node@24';

type Revision = '2025-11-25' | '2026-07-28';

export interface ClientCase {
  readonly scenario: string;
  readonly revision: Revision;
  /** The mix of the load, which is what the suite looks at: no separate client was written for it. */
  readonly operations: readonly object[];
  /** When it calls; ten times a second by default. */
  readonly pace?: object;
  /** Why it does not pass; the run fails when it does after all. */
  readonly expectedFailure?: string;
}

const lists = [{ list: 'tools' }];
const paramHeaders = 'headers made from arguments (x-mcp-header) are not sent';

export const clientCases: readonly ClientCase[] = [
  { scenario: 'initialize', revision: '2025-11-25', operations: lists },
  { scenario: 'tools_call', revision: '2025-11-25', operations: [{ tool: 'add_numbers', arguments: 'auto' }] },
  { scenario: 'tools_call', revision: '2026-07-28', operations: [{ tool: 'add_numbers', arguments: 'auto' }] },
  { scenario: 'request-metadata', revision: '2026-07-28', operations: lists },
  {
    scenario: 'http-standard-headers', revision: '2026-07-28',
    operations: [{ list: 'tools' }, { list: 'resources' }, { list: 'prompts' }, { tool: 'test_headers', arguments: 'auto' }, { tool: 'my-hyphenated-tool', arguments: 'auto' }],
  },
  { scenario: 'json-schema-ref-no-deref', revision: '2026-07-28', operations: lists },
  { scenario: 'http-custom-headers', revision: '2026-07-28', operations: lists, expectedFailure: paramHeaders },
  { scenario: 'http-invalid-tool-headers', revision: '2026-07-28', operations: [{ tool: 'valid_tool', arguments: 'auto' }] },
  // One call after the other: the suite's server remembers only the last one it has to answer.
  { scenario: 'sse-retry', revision: '2025-11-25', operations: [{ tool: 'test_reconnection', arguments: 'auto' }], pace: { thinkTime: '100ms', maxInFlight: 1 } },
];

export interface ServerCase {
  readonly scenario: string;
  readonly revision: Revision;
  readonly expectedFailure?: string;
}

const fixture = 'asks for a tool, prompt or resource of the suite\'s own, which the reference server does not have';

export const serverCases: readonly ServerCase[] = [
  { scenario: 'server-initialize', revision: '2025-11-25' },
  { scenario: 'server-session-lifecycle', revision: '2025-11-25' },
  { scenario: 'server-stateless', revision: '2026-07-28', expectedFailure: '4 of its 28 checks; not looked into yet' },
  { scenario: 'ping', revision: '2025-11-25', expectedFailure: 'the empty result carries the name of the replica in _meta, as every answer of the reference server does' },
  ...(['2025-11-25', '2026-07-28'] as const).flatMap((revision): ServerCase[] => [
    { scenario: 'tools-list', revision },
    { scenario: 'resources-list', revision },
    { scenario: 'prompts-list', revision },
    { scenario: 'dns-rebinding-protection', revision, expectedFailure: 'the reference server answers to any Host: in a stack it is asked by names of services and tasks' },
    { scenario: 'tools-call-simple-text', revision, expectedFailure: fixture },
    { scenario: 'tools-call-error', revision, expectedFailure: fixture },
    { scenario: 'tools-call-with-progress', revision, expectedFailure: fixture },
    { scenario: 'resources-read-text', revision, expectedFailure: fixture },
    { scenario: 'prompts-get-simple', revision, expectedFailure: fixture },
  ]),
  { scenario: 'caching', revision: '2026-07-28' },
  { scenario: 'http-header-validation', revision: '2026-07-28' },
];
