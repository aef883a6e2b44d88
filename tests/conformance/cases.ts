/**
 * What of the official conformance suite is asked of the load client, and what is known not to pass, with its reason.
 */
import type { Revision } from './revision.js';

export interface ClientCase {
  readonly scenario: string;
  readonly revision: Revision;
  /** Tells cases of one scenario apart. */
  readonly variant?: string;
  /** The mix of the load, which is what the suite looks at: no separate client was written for it. */
  readonly operations: readonly object[];
  /** When it calls; ten times a second by default. */
  readonly pace?: object;
  /** What our command must have said: the suite cannot tell a client that refuses from one that never came so far. */
  readonly says?: string;
  /** Why it does not pass; the run fails when it does after all. */
  readonly expectedFailure?: string;
}

const lists = [{ list: 'tools' }];

/** As the suite gives them to a client (`MCP_CONFORMANCE_CONTEXT`). */
const headerCalls = [
  {
    tool: 'test_custom_headers',
    arguments: {
      region: 'us-west1',
      priority: 42,
      verbose: false,
      debug: true,
      empty_val: '',
      method_val: 'test-method',
      float_val: 3.14159,
      non_ascii_val: 'Hello, 世界',
      whitespace_val: ' padded ',
      leading_space_val: ' us-west1',
      trailing_space_val: 'us-west1 ',
      internal_space_val: 'us west 1',
      control_char_val: 'line1\nline2',
      crlf_val: 'line1\r\nline2',
      tab_val: '\tindented',
      query: 'SELECT * FROM users',
    },
  },
  {
    tool: 'test_custom_headers_null',
    arguments: { region: 'us-east1', priority: 1, verbose: null, query: 'SELECT 1' },
  },
];
/** The same with values that are drawn for each call. */
const drawnHeaderCalls = [
  {
    tool: 'test_custom_headers',
    arguments: {
      region: '{{ text 12 }}',
      priority: '{{ int 1 100 }}',
      non_ascii_val: '{{ pick größe 世界 plain }}',
      method_val: '{{ uuid }}',
      internal_space_val: 'a {{ seq }} z',
      debug: true,
      tab_val: '\t{{ now }}',
      query: '{{ text 8 }}',
    },
  },
  {
    tool: 'test_custom_headers_null',
    arguments: { region: '{{ client }}', priority: '{{ seq }}', verbose: null, query: 'SELECT 1' },
  },
];
const invalidTools = [
  'invalid_empty_header',
  'invalid_object_header',
  'invalid_array_header',
  'invalid_null_header',
  'invalid_duplicate_same_case',
  'invalid_duplicate_diff_case',
  'invalid_space_in_name',
  'invalid_colon_in_name',
  'invalid_non_ascii_name',
  'invalid_control_char_name',
];

export const clientCases: readonly ClientCase[] = [
  { scenario: 'initialize', revision: '2025-11-25', operations: lists },
  { scenario: 'tools_call', revision: '2025-11-25', operations: [{ tool: 'add_numbers', arguments: 'auto' }] },
  { scenario: 'tools_call', revision: '2026-07-28', operations: [{ tool: 'add_numbers', arguments: 'auto' }] },
  { scenario: 'request-metadata', revision: '2026-07-28', operations: lists },
  {
    scenario: 'http-standard-headers',
    revision: '2026-07-28',
    operations: [
      { list: 'tools' },
      { list: 'resources' },
      { list: 'prompts' },
      { tool: 'test_headers', arguments: 'auto' },
      { tool: 'my-hyphenated-tool', arguments: 'auto' },
    ],
  },
  { scenario: 'json-schema-ref-no-deref', revision: '2026-07-28', operations: lists },
  { scenario: 'http-custom-headers', revision: '2026-07-28', operations: headerCalls },
  { scenario: 'http-custom-headers', revision: '2026-07-28', variant: 'drawn', operations: drawnHeaderCalls },
  {
    scenario: 'http-invalid-tool-headers',
    revision: '2026-07-28',
    operations: [{ tool: 'valid_tool', arguments: 'auto' }],
  },
  // A load that wants such a tool: its preflight calls the valid one, and refuses the other without a call.
  ...invalidTools.map(
    (tool): ClientCase => ({
      scenario: 'http-invalid-tool-headers',
      revision: '2026-07-28',
      variant: tool,
      operations: [
        { tool: 'valid_tool', arguments: 'auto' },
        { tool, arguments: 'auto' },
      ],
      says: `tool \`${tool}\` must not be used`,
    }),
  ),
  // One call after the other: the suite's server remembers only the last one it has to answer.
  {
    scenario: 'sse-retry',
    revision: '2025-11-25',
    operations: [{ tool: 'test_reconnection', arguments: 'auto' }],
    pace: { thinkTime: '100ms', maxInFlight: 1 },
  },
];
