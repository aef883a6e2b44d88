import type { Revision } from './revision.js';

export interface ServerCase {
  readonly scenario: string;
  readonly revision: Revision;
  /**
   * The server under test: the plain reference server, or one with the tools, prompts and resources that the suite
   * calls for. In the stateless era an answer is a stream only when necessary; in the session era all are, or none.
   */
  readonly server: 'plain' | 'fixtures' | 'fixtures, streams';
  /** Why the case fails; the run fails if it passes. */
  readonly expectedFailure?: string;
}

const session: Revision = '2025-11-25';
const stateless: Revision = '2026-07-28';
const both = [session, stateless] as const;

/** Scenarios that need no fixtures run against the server as it is. */
const plain: readonly (readonly [string, readonly Revision[]])[] = [
  ['server-initialize', [session]],
  ['server-session-lifecycle', [session]],
  ['ping', [session]],
  ['tools-list', both],
  ['resources-list', both],
  ['prompts-list', both],
  ['dns-rebinding-protection', both],
  ['server-sse-multiple-streams', both],
  ['caching', [stateless]],
  ['http-header-validation', [stateless]],
  ['sep-2164-resource-not-found', [stateless]],
];

const fixtures: readonly (readonly [string, readonly Revision[]])[] = [
  ['server-stateless', [stateless]],
  ['logging-set-level', [session]],
  ['completion-complete', both],
  ['tools-list', both],
  ['tools-call-simple-text', both],
  ['tools-call-image', both],
  ['tools-call-audio', both],
  ['tools-call-embedded-resource', both],
  ['tools-call-mixed-content', both],
  ['tools-call-with-logging', [session]],
  ['tools-call-error', both],
  ['tools-call-with-progress', both],
  ['tools-call-sampling', [session]],
  ['tools-call-elicitation', [session]],
  ['json-schema-2020-12', both],
  ['elicitation-sep1034-defaults', [session]],
  ['elicitation-sep1330-enums', [session]],
  ['server-sse-polling', [session]],
  ['server-sse-multiple-streams', both],
  ['resources-list', both],
  ['resources-read-text', both],
  ['resources-read-binary', both],
  ['resources-templates-read', both],
  ['resources-subscribe', [session]],
  ['resources-unsubscribe', [session]],
  ['sep-2164-resource-not-found', [stateless]],
  ['prompts-list', both],
  ['prompts-get-simple', both],
  ['prompts-get-with-args', both],
  ['prompts-get-embedded-resource', both],
  ['prompts-get-with-image', both],
  ['http-custom-header-server-validation', [stateless]],
  ['input-required-result-basic-elicitation', [stateless]],
  ['input-required-result-basic-sampling', [stateless]],
  ['input-required-result-basic-list-roots', [stateless]],
  ['input-required-result-request-state', [stateless]],
  ['input-required-result-multiple-input-requests', [stateless]],
  ['input-required-result-multi-round', [stateless]],
  ['input-required-result-missing-input-response', [stateless]],
  ['input-required-result-non-tool-request', [stateless]],
  ['input-required-result-result-type', [stateless]],
  ['input-required-result-unsupported-methods', [stateless]],
  ['input-required-result-tampered-state', [stateless]],
  ['input-required-result-capability-check', [stateless]],
  ['input-required-result-ignore-extra-params', [stateless]],
  ['input-required-result-validate-input', [stateless]],
];

/** By `server revision scenario`. */
const expectedFailures: Readonly<Record<string, string>> = {};

/**
 * Every server scenario of the suite for both revisions, except those of `not-ours.ts`.
 */
export const serverCases: readonly ServerCase[] = (
  [
    ['plain', plain],
    ['fixtures', fixtures],
  ] as const
).flatMap(([server, scenarios]) =>
  scenarios.flatMap(([scenario, revisions]) =>
    revisions.map((revision): ServerCase => {
      const expectedFailure = expectedFailures[`${server} ${revision} ${scenario}`];
      return {
        scenario,
        revision,
        server: server === 'fixtures' && revision === session ? 'fixtures, streams' : server,
        ...(expectedFailure === undefined ? {} : { expectedFailure }),
      };
    }),
  ),
);
