/** Renders short descriptions as dashboards in the format of Grafana (schema version 39). */

export interface DashboardDescription {
  /** Must not change, so that links keep working. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly title: string;
  /** Says what the panel shows, and what an unusual value means. */
  readonly description: string;
  readonly kind: 'timeseries' | 'stat';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns, of 24. */
  readonly width: number;
}

export interface Query {
  readonly expr: string;
  /** `{{label}}` is filled in by Grafana. */
  readonly legend: string;
}

/** Grafana's names of units. */
type Unit = 's' | 'reqps' | 'percentunit' | 'bytes' | 'Bps' | 'short' | 'ops';

const DATASOURCE_UID = 'swarmbench-prometheus';

const SCHEMA_VERSION = 39;
const ROW_HEIGHT = 1;
const PANEL_HEIGHT = { timeseries: 8, stat: 4 } as const;
const COLUMNS = 24;
const datasource = { type: 'prometheus', uid: DATASOURCE_UID } as const;

/** @returns the text of the file */
export function renderDashboard({ uid, title, description, rows }: DashboardDescription): string {
  const dashboard = {
    uid,
    title,
    description,
    tags: ['swarmbench'],
    editable: false,
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    time: { from: 'now-15m', to: 'now' },
    refresh: '5s',
    timezone: 'browser',
    graphTooltip: 1,
    // Links to our other dashboards keep the time range and the stack.
    links: [
      {
        type: 'dashboards',
        title: 'swarmbench',
        tags: ['swarmbench'],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: {
      list: [
        stackVariable,
        listVariable('profile', 'mcp_client_offered_total{stack="$stack"}', 'profile'),
        listVariable('replica', 'up{stack="$stack", service="mcp-server"}', 'slot'),
      ],
    },
    annotations: { list: [runAnnotation] },
    panels: layOut(rows),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

const stackVariable = {
  name: 'stack',
  label: 'Stack',
  type: 'query',
  datasource,
  query: { query: 'label_values(up, stack)', refId: 'stack' },
  refresh: 2,
  sort: 1,
  multi: false,
  includeAll: false,
};

function listVariable(name: string, series: string, label: string): object {
  return {
    name,
    label: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    type: 'query',
    datasource,
    query: { query: `label_values(${series}, ${label})`, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

/** Marks the time of each run. */
const runAnnotation = {
  name: 'Runs',
  enable: true,
  iconColor: 'blue',
  datasource,
  expr: 'swarmbench_run_info{stack="$stack"}',
  titleFormat: '{{scenario}}',
  textFormat: '{{run}}',
  step: '5s',
};

function layOut(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: ROW_HEIGHT },
      panels: [],
    });
    y += ROW_HEIGHT;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      panels.push(renderPanel(panel, panels.length + 1, x, y));
      x += panel.width;
      height = Math.max(height, PANEL_HEIGHT[panel.kind]);
    }
    y += height;
  }
  return panels;
}

function renderPanel(
  { title, description, kind, unit, queries, width }: Panel,
  id: number,
  x: number,
  y: number,
): object {
  return {
    id,
    title,
    description,
    type: kind,
    datasource,
    gridPos: { x, y, w: width, h: PANEL_HEIGHT[kind] },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: kind === 'timeseries' ? { fillOpacity: 8, lineWidth: 1, showPoints: 'never' } : {},
      },
      overrides: [],
    },
    options:
      kind === 'timeseries'
        ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } }
        : { reduceOptions: { calcs: ['lastNotNull'] } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend,
      range: true,
    })),
  };
}
