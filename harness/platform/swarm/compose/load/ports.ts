import { isIP } from 'node:net';
import { parsePortSpec } from '../go/port-spec.js';
import type { ComposePort } from '../model.js';
import type { MapValue, SourceValue } from '../source/value.js';
import type { LoadContext } from './context.js';
import { countOf, listOf, textOf } from './read.js';

/** One short mapping can be many ports. */
export function loadPorts(service: MapValue, path: string, context: LoadContext): readonly ComposePort[] | undefined {
  return listOf(service, 'ports')?.items.flatMap((item, index) => port(item, `${path}.ports[${index}]`, context));
}

function port(item: SourceValue, path: string, context: LoadContext): readonly ComposePort[] {
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
