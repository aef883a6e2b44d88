import { isIP } from 'node:net';
import type { ComposePort } from '../model.js';
import type { MapValue, SourceValue } from '../source/value.js';
import { countOf, type LoadContext, listOf, textOf } from './read.js';

/** One short mapping can be many ports. */
export function loadPorts(service: MapValue, path: string, context: LoadContext): readonly ComposePort[] | undefined {
  return listOf(service, 'ports')?.items.flatMap((item, index) => readPort(item, `${path}.ports[${index}]`, context));
}

function readPort(item: SourceValue, path: string, context: LoadContext): readonly ComposePort[] {
  if (item.kind === 'map') {
    const target = countOf(item, 'target', path, context.findings) ?? 0;
    const published = countOf(item, 'published', path, context.findings) ?? 0;
    return [{ at: item.at, target, published, protocol: textOf(item, 'protocol'), mode: textOf(item, 'mode') }];
  }
  const spec = item.kind === 'text' ? item.text : item.kind === 'integer' ? String(item.value) : '';
  const parsed = parsePortSpec(spec);
  if (parsed.kind === 'wrong') return [];
  return parsed.mappings.map(({ target, published, protocol, ip }) => {
    if (isIP(ip) !== 0 && ip !== '0.0.0.0' && ip !== '::') {
      context.findings.warn(
        item.at,
        'IGNORED',
        path,
        `the address ${ip} is ignored: a Swarm publishes on all addresses of its nodes`,
      );
    }
    return { at: item.at, target, published, protocol, mode: 'ingress' };
  });
}

/**
 * Short port mappings: `[[ip:]published:]target[/protocol]`, each a port or a range. Facts: docker/go-connections, nat.
 */

interface PortMapping {
  readonly protocol: string;
  readonly target: number;
  /** 0: the Swarm chooses. */
  readonly published: number;
  readonly ip: string;
}

type Parsed =
  | { readonly kind: 'ports'; readonly mappings: readonly PortMapping[] }
  | { readonly kind: 'wrong'; readonly message: string };

interface Range {
  readonly from: number;
  readonly to: number;
}

export function portSpecProblem(spec: string): string | undefined {
  const parsed = parsePortSpec(spec);
  return parsed.kind === 'wrong' ? parsed.message : undefined;
}

/** In the CLI's order: by the text of target and protocol, then by published port. */
export function parsePortSpec(spec: string): Parsed {
  const { ip, host, container } = split(spec);
  const [port = '', named = ''] = container.split('/');
  const protocol = (named === '' ? 'tcp' : named).toLowerCase();
  if (ip !== '' && isIP(ip) === 0) return wrong(`"${ip}" is no IP address`);
  if (port === '') return wrong('the port of the container is missing');
  const target = range(port);
  if (target === undefined) return wrong(`"${port}" is no port of a container`);
  const published = host === '' ? { from: 0, to: 0 } : range(host);
  if (published === undefined) return wrong(`"${host}" is no port to publish`);
  const width = target.to - target.from;
  if (host !== '' && width !== published.to - published.from && width !== 0) {
    return wrong(`the ranges ${host} and ${port} are not of the same length`);
  }
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) return wrong(`there is no protocol "${protocol}"`);
  const mappings =
    width === 0
      ? ports(published).map((each) => ({ protocol, target: target.from, published: each, ip }))
      : ports(target).map((each, i) => ({
          protocol,
          target: each,
          published: host === '' ? 0 : published.from + i,
          ip,
        }));
  return { kind: 'ports', mappings: mappings.sort((a, b) => compare(`${a.target}`, `${b.target}`)) };
}

function split(spec: string): { readonly ip: string; readonly host: string; readonly container: string } {
  const parts = spec.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const ip = parts.join(':');
  return { ip: ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip, host, container };
}

/** A third part, as in `1-2-3`, is not looked at. */
function range(text: string): Range | undefined {
  const [first = '', second] = text.split('-');
  const from = port(first);
  const to = second === undefined ? from : port(second);
  return from === undefined || to === undefined || to < from ? undefined : { from, to };
}

function port(text: string): number | undefined {
  return /^\d+$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function ports({ from, to }: Range): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function wrong(message: string): Parsed {
  return { kind: 'wrong', message };
}
