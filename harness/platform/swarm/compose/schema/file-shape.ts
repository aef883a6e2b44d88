import { config, network, secret, volume } from './object-shapes.js';
import { service } from './service-shape.js';
import { names, type RecordShape, record, tableOf, text } from './shape.js';

/** A whole compose file. Networks may have any name, as in the CLI. */
export const composeFile: RecordShape = record(
  {
    version: text,
    services: tableOf(service, names),
    networks: tableOf(network),
    volumes: tableOf(volume, names),
    'secrets@1': tableOf(secret, names),
    'configs@3': tableOf(config, names),
  },
  { extensionsSince: 4 },
);
