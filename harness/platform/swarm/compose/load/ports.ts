import { isIP } from 'node:net';
import { compare } from '../go/text.js';
import type { ComposePort } from '../model.js';
import { describeValue, type MapValue, type SourceValue } from '../source/value.js';
import { countOf, type LoadContext, listOf, textOf } from './read.js';

export function loadPorts(service: MapValue, path: string, context: LoadContext): readonly ComposePort[] | undefined {
  return listOf(service, 'ports')?.items.flatMap((item, index) => {
    const itemPath = `${path}.ports[${index}]`;
    if (item.kind === 'map') return [longPort(item, itemPath, context)];
    return shortPorts(item, itemPath, context);
  });
}

function longPort(item: MapValue, path: string, { findings }: LoadContext): ComposePort {
  return {
    at: item.at,
    target: countOf(item, 'target', path, findings) ?? 0,
    published: countOf(item, 'published', path, findings) ?? 0,
    protocol: textOf(item, 'protocol'),
    mode: textOf(item, 'mode'),
  };
}

/** One short mapping can be many ports. */
function shortPorts(item: SourceValue, path: string, { findings }: LoadContext): readonly ComposePort[] {
  const parsed = parseShortPort(item);
  if (parsed === undefined) return [];
  if (parsed.kind === 'wrong') {
    const hint = '[published:]target[/tcp|udp|sctp], each a port or a range';
    findings.refuse(item.at, 'INVALID_VALUE', path, parsed.message, hint);
    return [];
  }
  return parsed.mappings.map(({ target, published, protocol, ip }) => {
    if (isIP(ip) !== 0 && ip !== '0.0.0.0' && ip !== '::') {
      const message = `the address ${ip} is ignored: a Swarm publishes on all addresses of its nodes`;
      findings.warn(item.at, 'IGNORED', path, message);
    }
    return { at: item.at, target, published, protocol, mode: 'ingress' };
  });
}

/** Undefined for a value that the schema refuses. */
function parseShortPort(item: SourceValue): ParsedPorts | undefined {
  switch (item.kind) {
    case 'text':
      return parsePortSpec(item.text);
    case 'integer':
      return parsePortSpec(String(item.value));
    case 'float':
      return wrong(`${describeValue(item)} is not a port`);
    default:
      return undefined;
  }
}

interface PortMapping {
  readonly protocol: string;
  readonly target: number;
  /** 0: the Swarm chooses. */
  readonly published: number;
  readonly ip: string;
}

type ParsedPorts =
  | { readonly kind: 'ports'; readonly mappings: readonly PortMapping[] }
  | { readonly kind: 'wrong'; readonly message: string };

/**
 * `[[ip:]published:]target[/protocol]`, each a port or a range, in the CLI's order: by the text of the target, then by
 * published port. Facts: docker/go-connections, nat.
 */
export function parsePortSpec(spec: string): ParsedPorts {
  const { ip, published, target, protocol } = split(spec);
  if (ip !== '' && isIP(ip) === 0) return wrong(`"${ip}" is not an IP address`);
  if (target === '') return wrong('the container port is missing');
  const inside = parseRange(target);
  if (inside === undefined) return wrong(`"${target}" is not a container port`);
  const outside = published === '' ? { from: 0, to: 0 } : parseRange(published);
  if (outside === undefined) return wrong(`"${published}" is not a port that can be published`);
  const width = inside.to - inside.from;
  if (published !== '' && width !== outside.to - outside.from && width !== 0)
    return wrong(`the ranges ${published} and ${target} differ in length`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) return wrong(`unknown protocol "${protocol}"`);
  const mappings =
    width === 0
      ? portsOf(outside).map((port) => ({ protocol, target: inside.from, published: port, ip }))
      : portsOf(inside).map((port, i) => ({
          protocol,
          target: port,
          published: published === '' ? 0 : outside.from + i,
          ip,
        }));
  return { kind: 'ports', mappings: mappings.sort((a, b) => compare(`${a.target}`, `${b.target}`)) };
}

interface SplitSpec {
  readonly ip: string;
  readonly published: string;
  readonly target: string;
  readonly protocol: string;
}

function split(spec: string): SplitSpec {
  const parts = spec.split(':');
  const [target = '', protocol = ''] = (parts.pop() ?? '').split('/');
  const published = parts.pop() ?? '';
  const address = parts.join(':');
  const ip = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
  return { ip, published, target, protocol: (protocol === '' ? 'tcp' : protocol).toLowerCase() };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The CLI does not look at a third part, as in `1-2-3`. */
function parseRange(text: string): Range | undefined {
  const [first = '', second] = text.split('-');
  const from = parsePort(first);
  const to = second === undefined ? from : parsePort(second);
  return from === undefined || to === undefined || to < from ? undefined : { from, to };
}

function parsePort(text: string): number | undefined {
  return /^\d+$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function portsOf({ from, to }: Range): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function wrong(message: string): ParsedPorts {
  return { kind: 'wrong', message };
}
