/** The smaller list-like keys of a service. */
import { printed } from '../go/print.js';
import { shellWords } from '../go/shell-words.js';
import type { ComposeAttachment, ComposeReference, ComposeUlimit } from '../model.js';
import type { ListValue, MapValue } from '../source/value.js';
import type { LoadContext } from './context.js';
import { countOf, cut, listOf, mapOf, optionsOf, textOf, textsIn, textsOf, valueOf, wholeOf } from './read.js';

/** `command` and `entrypoint`: a list as it is, a text split as a shell would. */
export function loadCommand(
  service: MapValue,
  key: 'command' | 'entrypoint',
  path: string,
  context: LoadContext,
): readonly string[] | undefined {
  const value = valueOf(service, key);
  if (value?.kind === 'list') return textsIn(value);
  if (value?.kind !== 'text') return undefined;
  const parsed = shellWords(value.text);
  if (parsed.kind === 'words') return parsed.words;
  context.findings.refuse(
    value.at,
    'INVALID_VALUE',
    `${path}.${key}`,
    parsed.message,
    'close the quote, or give a list',
  );
  return undefined;
}

/** `name:address`; a map in order of its text, a list as it is, split at the first "=" or else ":". */
export function loadExtraHosts(service: MapValue, path: string, context: LoadContext): readonly string[] | undefined {
  const value = valueOf(service, 'extra_hosts');
  if (value?.kind === 'map') {
    const hosts = [...value.entries].flatMap(([name, entry]) => {
      const address = printed(entry.value);
      return address === undefined ? [] : [`${name}:${address}`];
    });
    return hosts.sort().map(withoutBrackets);
  }
  return value?.kind === 'list' ? hostList(value, path, context) : undefined;
}

function hostList(list: ListValue, path: string, context: LoadContext): readonly string[] {
  return list.items.flatMap((item, index) => {
    if (item.kind !== 'text') return [];
    const [name, address] = cut(item.text, item.text.includes('=') ? '=' : ':');
    if (address !== null) return [withoutBrackets(`${name}:${address}`)];
    context.findings.warn(
      item.at,
      'IGNORED',
      `${path}.extra_hosts[${index}]`,
      `"${item.text}" has no address and is ignored`,
      'write name=address',
    );
    return [];
  });
}

function withoutBrackets(host: string): string {
  const [name, address] = cut(host, ':');
  const bare = /^\[(.+)\]$/s.exec(address ?? '')?.[1];
  return `${name}:${bare ?? address ?? ''}`;
}

export function loadUlimits(service: MapValue): Readonly<Record<string, ComposeUlimit>> | undefined {
  const ulimits = mapOf(service, 'ulimits');
  if (ulimits === undefined) return undefined;
  return Object.fromEntries(
    [...ulimits.entries].map(([name, { value }]) => {
      if (value.kind === 'map') return [name, { soft: wholeOf(value, 'soft') ?? 0, hard: wholeOf(value, 'hard') ?? 0 }];
      const both = wholeOf(ulimits, name) ?? 0;
      return [name, { soft: both, hard: both }];
    }),
  );
}

export function loadAttachments(
  service: MapValue,
  path: string,
  context: LoadContext,
): ReadonlyMap<string, ComposeAttachment> | undefined {
  const value = valueOf(service, 'networks');
  if (value?.kind === 'list') {
    return new Map(
      value.items.flatMap((item) => (item.kind === 'text' ? [[item.text, { ...BARE, at: item.at }] as const] : [])),
    );
  }
  if (value?.kind !== 'map') return undefined;
  return new Map(
    [...value.entries].map(([name, entry]): [string, ComposeAttachment] => {
      if (entry.value.kind !== 'map') return [name, { ...BARE, at: entry.keyAt }];
      for (const key of ['ipv4_address', 'ipv6_address']) {
        const ignored = entry.value.entries.get(key);
        if (ignored !== undefined)
          context.findings.warn(
            ignored.keyAt,
            'IGNORED',
            `${path}.networks.${name}.${key}`,
            'is ignored: a Swarm gives out addresses itself',
          );
      }
      const aliases = textsOf(entry.value, 'aliases');
      return [name, { at: entry.keyAt, detailed: true, aliases, driverOpts: optionsOf(entry.value, 'driver_opts') }];
    }),
  );
}

const BARE = { detailed: false, aliases: undefined, driverOpts: undefined };

/** Configs or secrets that a service uses. */
export function loadReferences(
  service: MapValue,
  key: 'configs' | 'secrets',
  path: string,
  context: LoadContext,
): readonly ComposeReference[] | undefined {
  return listOf(service, key)?.items.map((item, index) => {
    if (item.kind !== 'map') return { ...NO_DETAILS, at: item.at, source: item.kind === 'text' ? item.text : '' };
    return {
      at: item.at,
      source: textOf(item, 'source') ?? '',
      target: textOf(item, 'target'),
      uid: textOf(item, 'uid'),
      gid: textOf(item, 'gid'),
      mode: countOf(item, 'mode', `${path}.${key}[${index}]`, context.findings),
    };
  });
}

const NO_DETAILS = { target: undefined, uid: undefined, gid: undefined, mode: undefined };
