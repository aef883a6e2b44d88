import { createHash } from 'node:crypto';
import { html, type Markup, trusted } from './markup.js';
import { style } from './style.js';

const styleHash = createHash('sha256').update(style).digest('base64');
/** Allows the page's own style sheet (by hash) and nothing else, so that unescaped text could do nothing. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The beginning of a page, up to the end of its head: one file, no script, nothing fetched. */
export function head(title: string): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style>
</head>`;
}
