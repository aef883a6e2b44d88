import { renderGateway, STICKINESS } from './render-gateway.js';

/**
 * The configurations that `docker stack deploy` takes as they are, by name in this folder (written by
 * tools/generate.mjs).
 */
export function gatewayFiles(): ReadonlyMap<string, string> {
  return new Map(STICKINESS.map((sticky) => [`haproxy.${sticky}.cfg`, renderGateway({ sticky })]));
}
