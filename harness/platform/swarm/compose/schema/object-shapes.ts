/** Networks, volumes, configs and secrets of the whole file. */

import { either, flag, listOf, nothing, options, pairs, record, type Shape, tableOf, text } from './shape.js';

const external = either(flag, record({ name: text }));
/** Configs and secrets take further keys in `external` and do nothing with them. */
const externalFile = either(flag, record({ name: text }, { others: 'dropped' }));

export const network: Shape = either(
  record(
    {
      'name@5': text,
      driver: text,
      driver_opts: options,
      ipam: record({ driver: text, config: listOf(record({ subnet: text })) }),
      external,
      internal: flag,
      'attachable@2': flag,
      labels: pairs,
    },
    { extensionsSince: 7 },
  ),
  nothing,
);

const topologies = listOf(record({ segments: pairs }, { others: 'free' }));

/** Checked, as the CLI does, although `stack deploy` creates no cluster volumes. */
const clusterSpec = record(
  {
    group: text,
    access_mode: record(
      {
        scope: text,
        sharing: text,
        block_volume: tableOf({ kind: 'anything' }),
        mount_volume: record({ fs_type: text, mount_flags: listOf(text) }, { others: 'free' }),
      },
      { others: 'free' },
    ),
    accessibility_requirements: record({ requisite: topologies, preferred: topologies }, { others: 'free' }),
    capacity_range: record({ required_bytes: text, limit_bytes: text }, { others: 'free' }),
    availability: text,
  },
  { others: 'free' },
);

export const volume: Shape = either(
  record(
    { 'name@4': text, driver: text, driver_opts: options, external, labels: pairs, 'x-cluster-spec@10': clusterSpec },
    { extensionsSince: 7 },
  ),
  nothing,
);

export const secret: Shape = record(
  {
    'name@5': text,
    file: text,
    external: externalFile,
    labels: pairs,
    'driver@8': text,
    'driver_opts@8': options,
    'template_driver@8': text,
  },
  { extensionsSince: 7 },
);

export const config: Shape = record(
  { 'name@5': text, file: text, external: externalFile, labels: pairs, 'template_driver@8': text },
  { extensionsSince: 7 },
);
