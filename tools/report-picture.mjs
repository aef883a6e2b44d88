/**
 * Takes the picture of a report, from its head to its first chart, or of one figure of it:
 * `node tools/report-picture.mjs results/latest docs/images/report.png`
 * `node tools/report-picture.mjs results/latest docs/images/fault.png fault-f1`.
 * Needs Chromium: the first of CHROMIUM, /usr/bin/chromium and /usr/bin/google-chrome that exists.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [folder, picture, figure] = process.argv.slice(2);
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);
if (folder === undefined || picture === undefined || executablePath === undefined) {
  process.stderr.write('usage: node tools/report-picture.mjs RUN-FOLDER PICTURE.png [FIGURE] (needs Chromium)\n');
  process.exit(2);
}

const width = 900;
const margin = 24;

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const page = await browser.newPage({ viewport: { width, height: 1000 } });
  await page.goto(pathToFileURL(resolve(join(folder, 'report.html'))).href);
  if (figure === undefined) {
    const chart = await page.locator('figure').first().locator('svg').last().boundingBox();
    const height = Math.ceil(chart.y + chart.height + margin);
    await page.screenshot({ path: picture, fullPage: true, clip: { x: 0, y: 0, width, height } });
  } else await page.locator(`figure#${figure}`).screenshot({ path: picture });
} finally {
  await browser.close();
}
