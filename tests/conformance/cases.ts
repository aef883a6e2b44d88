/** The scenarios of the official conformance suite for the load client, and why some of them are expected to fail. */
import type { Revision } from './revision.js';

export interface ClientCase {
  readonly scenario: string;
  readonly revision: Revision;
  /** Distinguishes several cases of one scenario. */
  readonly variant?: string;
  /** The operations of the load; the suite judges the real load client, not one written for it. */
  readonly operations: readonly object[];
  /** When the client calls; default: ten times a second. */
  readonly pace?: object;
  /** Our command must have printed this: the suite takes a client that failed earlier for one that refuses. */
  readonly prints?: string;
  /** Why the case fails; the run fails if it passes. */
  readonly expectedFailure?: string;
}

const lists = [{ list: 'tools' }];

/** As the suite gives them to a client in `MCP_CONFORMANCE_CONTEXT`. */
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
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: the suite compares with this value
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
/** The same calls with values that are drawn for each call. */
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
  // The load uses an invalid tool: its preflight calls the valid one and refuses the other without a call.
  ...invalidTools.map(
    (tool): ClientCase => ({
      scenario: 'http-invalid-tool-headers',
      revision: '2026-07-28',
      variant: tool,
      operations: [
        { tool: 'valid_tool', arguments: 'auto' },
        { tool, arguments: 'auto' },
      ],
      prints: `tool \`${tool}\` must not be used`,
    }),
  ),
  // One call at a time: the server of the suite remembers only the last one that it has to answer.
  {
    scenario: 'sse-retry',
    revision: '2025-11-25',
    operations: [{ tool: 'test_reconnection', arguments: 'auto' }],
    pace: { thinkTime: '100ms', maxInFlight: 1 },
  },
];
