/** References to images: `[domain/]path[:tag][@digest]`, or a digest alone. Facts: distribution/reference. */
import type { Findings } from '../findings.js';
import type { ComposeService } from '../model.js';

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(?:${DOMAIN}/)?(?<path>${PART}(?:/${PART})*)(?::${TAG})?(?:@${DIGEST})?$`);
const ONLY_DIGEST = new RegExp(`^(?:${DIGEST}|[a-f0-9]{64})$`);
const MAX_NAME = 255;

export function checkImage(service: ComposeService, findings: Findings): void {
  const path = `services.${service.name}`;
  if (service.image === undefined) {
    const hint = 'a Swarm builds no images: name one that its nodes can pull';
    findings.refuse(service.at, 'MISSING_KEY', path, 'must have an `image`', hint);
    return;
  }
  const { value, at } = service.image;
  const problem = imageProblem(value);
  if (problem !== undefined)
    findings.refuse(at, 'INVALID_VALUE', `${path}.image`, problem, '[registry/]name[:tag][@digest]');
}

/** Why the text does not name an image; undefined when it does. */
export function imageProblem(text: string): string | undefined {
  if (ONLY_DIGEST.test(text)) return undefined;
  const { domain, rest } = split(text);
  const name = rest.split(/[:@]/, 1)[0] ?? '';
  if (name !== name.toLowerCase()) return `"${text}" has a capital letter in its name`;
  if (!REFERENCE.test(domain === '' ? rest : `${domain}/${rest}`)) return `"${text}" is not an image name`;
  return `${domain}/${name}`.length > MAX_NAME
    ? `the name of the image is longer than ${MAX_NAME} characters`
    : undefined;
}

/**
 * The image as the CLI sends it: with the tag `latest` where there is neither tag nor digest, and without the parts of
 * a Docker Hub name that may be left out.
 */
export function familiarImage(text: string): string {
  if (imageProblem(text) !== undefined || ONLY_DIGEST.test(text)) return text;
  const { domain, rest } = split(text);
  const tagged = /[:@]/.test(rest) ? rest : `${rest}:latest`;
  if (domain !== '' && domain !== 'docker.io' && domain !== 'index.docker.io') return `${domain}/${tagged}`;
  return tagged.replace(/^library\/(?=[^/]*$)/, '');
}

/** The registry of an image, with its port; empty for Docker's own. */
export function registryOf(text: string): string {
  const { domain } = split(text);
  return domain === 'docker.io' || domain === 'index.docker.io' ? '' : domain;
}

/** The part before the first slash is a registry only if it looks like one. */
function split(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  return isDomain ? { domain: first, rest: text.slice(slash + 1) } : { domain: '', rest: text };
}
