/** References to images: `[domain/]path[:tag][@digest]`, or a digest alone. Facts: distribution/reference. */

import type { Findings } from '../findings.js';
import type { ComposeService } from '../model.js';

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(?:${DOMAIN}/)?(?<path>${PART}(?:/${PART})*)(?::${TAG})?(?:@${DIGEST})?$`);
const MAX_NAME = 255;

export function checkImage(service: ComposeService, findings: Findings): void {
  const path = `services.${service.name}.image`;
  if (service.image === undefined) {
    findings.refuse(
      service.at,
      'MISSING_KEY',
      `services.${service.name}`,
      'must have an `image`',
      'a Swarm builds nothing: name an image that its nodes can get',
    );
    return;
  }
  const problem = imageProblem(service.image.value);
  if (problem !== undefined)
    findings.refuse(service.image.at, 'INVALID_VALUE', path, problem, '[registry/]name[:tag][@digest]');
}

/** Undefined when the text names an image. */
export function imageProblem(text: string): string | undefined {
  if (/^[a-f0-9]{64}$/.test(text) || new RegExp(`^${DIGEST}$`).test(text)) return undefined;
  const { domain, rest } = split(text);
  const name = rest.split(/[:@]/, 1)[0] ?? '';
  if (name !== name.toLowerCase()) return `"${text}" has a capital letter in its name`;
  if (!REFERENCE.test(domain === '' ? rest : `${domain}/${rest}`)) return `"${text}" is no image`;
  return `${domain}/${name}`.length > MAX_NAME
    ? `the name of the image is longer than ${MAX_NAME} characters`
    : undefined;
}

/**
 * The image as the CLI sends it: with the tag `latest` where there is neither tag nor digest, and without the parts of
 * a Docker Hub name that may be left out.
 */
export function familiarImage(text: string): string {
  if (imageProblem(text) !== undefined || /^[a-f0-9]{64}$/.test(text) || new RegExp(`^${DIGEST}$`).test(text))
    return text;
  const { domain, rest } = split(text);
  const tagged = /[:@]/.test(rest) ? rest : `${rest}:latest`;
  if (domain !== '' && domain !== 'docker.io' && domain !== 'index.docker.io') return `${domain}/${tagged}`;
  return tagged.replace(/^library\/(?=[^/]*$)/, '');
}

/** The registry of an image, with its port; empty: Docker's own. */
export function registryOf(text: string): string {
  const { domain } = split(text);
  return domain === 'docker.io' || domain === 'index.docker.io' ? '' : domain;
}

/** What stands before the first slash is a registry only if it looks like one. */
function split(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  return isDomain ? { domain: first, rest: text.slice(slash + 1) } : { domain: '', rest: text };
}
