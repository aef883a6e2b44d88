/** What a gateway's configuration says, read back from its text. Pure. */
import {
  GATEWAY_DEFAULTS,
  type GatewayOptions,
  renderGateway,
  STICKINESS,
} from '../../../../swarm/gateway/render-gateway.js';

/** Undefined when the text is not one that we would write: somebody's own configuration, or that of another version. */
export function gatewaySettings(text: string): GatewayOptions | undefined {
  const servers = serverTemplate(text, 'mcp');
  const streams = serverTemplate(text, 'stream');
  if (servers === undefined || streams === undefined) return undefined;
  const found = {
    ...GATEWAY_DEFAULTS,
    ...servers,
    streamPort: streams.port,
    healthPath: /option httpchk GET (\S+)/.exec(text)?.[1],
  };
  return STICKINESS.map((sticky) => ({ ...found, sticky })).find((settings) => renderGateway(settings) === text);
}

function serverTemplate(
  text: string,
  prefix: string,
): Pick<GatewayOptions, 'maxServers' | 'service' | 'port'> | undefined {
  const [, most, service, port] =
    new RegExp(`server-template ${prefix} 1-(\\d+) tasks\\.([\\w.-]+):(\\d+) `).exec(text) ?? [];
  return service === undefined ? undefined : { maxServers: Number(most), service, port: Number(port) };
}
