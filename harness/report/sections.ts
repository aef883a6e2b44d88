import { affinity } from './sections/affinity/section.js';
import { arms } from './sections/arms/section.js';
import { balance } from './sections/balance/section.js';
import { blocks } from './sections/blocks/section.js';
import { breakdown } from './sections/breakdown/section.js';
import { environment } from './sections/environment/section.js';
import { errors } from './sections/errors/section.js';
import { events } from './sections/events/section.js';
import { faults } from './sections/faults/section.js';
import { generator } from './sections/generator/section.js';
import { incidents } from './sections/incidents/section.js';
import { latency } from './sections/latency/section.js';
import { load } from './sections/load/section.js';
import { misbehaviour } from './sections/misbehaviour/section.js';
import { preflight } from './sections/preflight/section.js';
import { reached } from './sections/reached/section.js';
import { resources } from './sections/resources/section.js';
import { streams } from './sections/streams/section.js';
import { summary } from './sections/summary/section.js';
import { thresholds } from './sections/thresholds/section.js';
import { upstreams } from './sections/upstreams/section.js';
import { workload } from './sections/workload/section.js';

/** Every section of the report, in the order of the page. */
export const sections = [
  preflight,
  thresholds,
  arms,
  reached,
  upstreams,
  summary,
  faults,
  incidents,
  load,
  latency,
  errors,
  misbehaviour,
  affinity,
  generator,
  resources,
  streams,
  breakdown,
  events,
  workload,
  environment,
  balance,
  blocks,
] as const;

/** The sections that come first in `report.md`; the others follow in the order of the list. */
export const markdownFirst: readonly string[] = [
  'thresholds',
  'arms',
  'reached',
  'upstreams',
  'summary',
  'faults',
  'incidents',
  'streams',
  'breakdown',
  'affinity',
] satisfies readonly (typeof sections)[number]['id'][];
