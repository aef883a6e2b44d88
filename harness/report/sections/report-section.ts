import type { z } from 'zod';
import type { RunModel } from '../../analysis/fold-run.js';
import type { Frame } from '../frame.js';
import type { Markup } from '../html/markup.js';
import type { MeteredUse } from '../read-metrics.js';
import type { TimeContext } from '../svg/frame.js';

/**
 * One section of the report: the keys it adds to `report.json`, and how they are shown. A section stands in a folder
 * of its own, named after its id, and is one line in `sections.ts`; everything else follows from that list.
 * @template Shape the section's own keys
 * @template Reads keys of other sections that it shows as well
 */
export interface ReportSection<Shape extends z.ZodRawShape, Reads = unknown>
  extends SectionView<SectionReport<Shape, Reads>> {
  readonly schema: Shape;
  /** Pure: the same log gives the same keys, to the byte. An optional key without data is left out. */
  readonly build: (input: BuildInput) => SectionData<Shape>;
}

/** How a section is shown. */
export interface SectionView<Report> {
  /** The name of its folder, and its anchor on the page. */
  readonly id: string;
  /** Its heading on the page, and its entry in the navigation. */
  readonly title: string;
  /** It has no entry in the navigation. */
  readonly unlisted?: true;
  /** It is not on the page of a run whose load never began. */
  readonly needsLoad?: true;
  /** Whether it is on the page; always when absent. */
  readonly when?: (report: Report) => boolean;
  /** What stands below its heading on the page. */
  readonly html?: (report: Report, time: TimeContext) => Markup;
  /** Its part of `report.md`; '' where it has nothing to say. */
  readonly markdown?: (report: Report) => string;
}

/** What a section builds. */
export type SectionData<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;

/** What a section sees of the report. */
export type SectionReport<Shape extends z.ZodRawShape, Reads = unknown> = Frame & SectionData<Shape> & Reads;

export interface BuildInput extends RunModel {
  /** Indices of the stages that count. */
  readonly measured: readonly number[];
  /** How much of them telemetry covers. */
  readonly measuredSeconds: number;
  /** Resource use from `metrics.json`, where the run has one. */
  readonly metered: readonly MeteredUse[];
}
