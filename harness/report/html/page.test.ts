import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { chromium } from 'playwright-core';
import { foldRun } from '../../../tests/support/analysis/fold-run.js';
import { samplePlan } from '../../../tests/support/analysis/sample-plan.js';
import { sampleEvents, sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import { describeWith } from '../../../tests/support/needs.js';
import { richEvents, richOptions, richPlan, runFolder } from '../../../tests/support/report/run-folder.js';
import { buildReport } from '../build-report.js';
import { downsample, type Point } from '../svg/line-chart.js';
import { linearScale, logScale, timeScale } from '../svg/scale.js';
import { writeReport } from '../write-report.js';
import { renderHtml } from './page.js';

const rich = renderHtml(
  buildReport(foldRun(sampleEvents(richPlan(), richEvents), sampleTelemetry(richPlan(), richOptions))),
);

describe('report.html', () => {
  test('fetches nothing and runs nothing', () => {
    expect(rich).not.toMatch(/<(?:script|img|iframe|object|embed|form|base|foreignObject)\b/i);
    expect(rich).not.toMatch(/\son[a-z]+\s*=\s*["'][^"']*["'][^<]*>/i);
    expect(rich).not.toMatch(/\bstyle=/);
    expect(
      [...rich.matchAll(/\b(?:src|href|xlink:href|action|data)="([^"]*)"/g)]
        .map(([, to = '']) => to)
        .filter((to) => !to.startsWith('#') && to !== 'data:,'),
    ).toEqual([]);
    expect(rich).not.toMatch(/url\(|@import/);
  });

  test('its policy allows its own style sheet only', () => {
    const style = /<style>([^]*?)<\/style>/.exec(rich)?.[1] ?? '';
    expect(rich).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(rich).toContain("default-src 'none'");
  });

  test('every chart has a title, a description and a table', () => {
    const figures = [...rich.matchAll(/<figure id="([^"]+)">([^]*?)<\/figure>/g)];
    expect(figures.map(([, id]) => id)).toEqual([
      'throughput',
      'clients',
      'inflight',
      'percentiles',
      'heat',
      'spectrum',
      'errors-time',
      'replica-balance',
      'lag',
      'loop',
      'cpu',
      'memory',
    ]);
    for (const [, , body = ''] of figures) {
      expect(body).toMatch(/role="img" aria-labelledby/);
      expect(body).toMatch(/<desc id="[^"]+">[^<]{20,}<\/desc>/);
      expect(body).toMatch(/<table class="data"><thead>/);
    }
  });

  test('shows no broken number', () => {
    expect(rich).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  test('a run that never began has no empty charts', () => {
    const page = renderHtml(buildReport(foldRun(sampleEvents(samplePlan()).slice(0, 3), [])));
    expect(page).toContain('The load never began');
    expect(page).not.toContain('<figure');
  });
});

describe('axes', () => {
  test.each([
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 654, [0, 200, 400, 600, 800]],
    [0, 0.037, [0, 0.01, 0.02, 0.03, 0.04]],
  ])('from %d to %d', (from, to, ticks) => expect(linearScale(from, to, 0, 100).ticks).toEqual(ticks));

  test('whole numbers have no half ticks', () => expect(linearScale(0, 2, 0, 100, 1).ticks).toEqual([0, 1, 2]));
  test('a log axis widens to round numbers', () =>
    expect(logScale(3, 170, 0, 100).ticks).toEqual([2, 5, 10, 20, 50, 100, 200]));
  test('a long log axis labels the decades', () =>
    expect(logScale(0.9, 8000, 0, 100).ticks).toEqual([1, 10, 100, 1000, 10_000]));
  test('time has the steps of a clock', () => {
    expect(timeScale(20, 0, 100).ticks).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    expect(timeScale(600, 0, 100).ticks.slice(0, 3)).toEqual([0, 60, 120]);
    expect(timeScale(10_800, 0, 100).ticks.slice(0, 3)).toEqual([0, 1800, 3600]);
  });
});

describe('thinning a long series', () => {
  const long: Point[] = Array.from({ length: 36_000 }, (_, x) => ({
    x,
    y:
      new Map([
        [17_001, 99],
        [17_500, -5],
      ]).get(x) ?? (x % 7) / 7,
  }));
  test('keeps at most 1000 points, in order, and every spike', () => {
    const thin = downsample(long);
    expect(thin.length).toBeLessThanOrEqual(1000);
    expect(thin.some(({ y }) => y === 99)).toBe(true);
    expect(thin.some(({ y }) => y === -5)).toBe(true);
    expect(thin.every(({ x }, at) => at === 0 || x > (thin[at - 1]?.x ?? -1))).toBe(true);
  });
  test('keeps gaps', () => {
    expect(
      downsample(long.map(({ x, y }) => ({ x, y: x > 5000 && x < 9000 ? null : y }))).some(({ y }) => y === null),
    ).toBe(true);
  });
  test('leaves a short series unchanged', () => expect(downsample(long.slice(0, 900))).toHaveLength(900));
});

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

describeWith(
  browser === undefined ? 'there is no chromium: apt-get install chromium' : undefined,
  'in a browser',
  () => {
    test.each(['light', 'dark'] as const)(
      'without script, %s: nothing complains, nothing is fetched, nothing overflows',
      async (colorScheme) => {
        await using folder = await runFolder(richPlan(), richOptions, richEvents);
        await writeReport(folder.path);
        const running = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox'] });
        try {
          const page = await running.newPage({
            javaScriptEnabled: false,
            colorScheme,
            viewport: { width: 1200, height: 900 },
          });
          const complaints: string[] = [];
          const requests: string[] = [];
          page.on('console', (message) => complaints.push(message.text()));
          page.on('pageerror', (error) => complaints.push(error.message));
          page.on('request', (request) => requests.push(request.url()));
          const url = pathToFileURL(join(folder.path, 'report.html')).href;
          await page.goto(url, { waitUntil: 'load' });
          expect(complaints).toEqual([]);
          expect(requests.filter((request) => request !== url && request !== 'data:,')).toEqual([]);
          // biome-ignore lint/performance/useDomNodeTextContent: the style sheet capitalises the text
          expect(await page.locator('section.verdict h2').innerText()).toBe('Failed');
          expect((await page.locator('section.verdict').boundingBox())?.y).toBeLessThan(400);
          expect(await page.locator('figure svg[role=img]').count()).toBe(12);
          expect(await page.locator('details').first().getAttribute('open')).toBeNull();
          await page.locator('summary').first().click();
          expect(await page.locator('table.data').first().isVisible()).toBe(true);
          const [body, shot] = [await page.locator('body').boundingBox(), await page.screenshot({ fullPage: true })];
          expect(body?.width).toBeLessThanOrEqual(1200);
          expect(shot.length).toBeGreaterThan(50_000);
        } finally {
          await running.close();
        }
      },
      60_000,
    );

    test('the page prints', async () => {
      await using folder = await runFolder(samplePlan());
      await writeReport(folder.path);
      const running = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox'] });
      try {
        const page = await running.newPage({ javaScriptEnabled: false });
        await page.setContent(await readFile(join(folder.path, 'report.html'), 'utf8'));
        expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000);
      } finally {
        await running.close();
      }
    }, 60_000);
  },
);
