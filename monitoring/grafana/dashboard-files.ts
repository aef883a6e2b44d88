import { benchDashboard } from './bench-dashboard.js';
import { type DashboardDescription, renderDashboard } from './dashboard.js';
import { runDashboard } from './run-dashboard.js';
import { serversDashboard } from './servers-dashboard.js';

/** By file name in `dashboards`. */
export const DASHBOARDS: Readonly<Record<string, DashboardDescription>> = {
  'run.json': runDashboard,
  'servers.json': serversDashboard,
  'bench.json': benchDashboard,
};

/** What `dashboards` holds (written by tools/generate.mjs). */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(Object.entries(DASHBOARDS).map(([name, description]) => [name, renderDashboard(description)]));
}
