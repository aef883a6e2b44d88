import { benchDashboard } from './bench-dashboard.js';
import { type DashboardDescription, renderDashboard } from './dashboard.js';
import { runDashboard } from './run-dashboard.js';
import { serversDashboard } from './servers-dashboard.js';

/** By file name in the folder `dashboards`. */
export const DASHBOARDS: Readonly<Record<string, DashboardDescription>> = {
  'run.json': runDashboard,
  'servers.json': serversDashboard,
  'bench.json': benchDashboard,
};

/** The files in the folder `dashboards`; `tools/generate.mjs` writes them. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(Object.entries(DASHBOARDS).map(([name, description]) => [name, renderDashboard(description)]));
}
