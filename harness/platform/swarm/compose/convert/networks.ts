import { nonEmpty, omitAbsent, omitEmpty } from '../go/omit-empty.js';
import { compare } from '../go/text.js';
import type { ComposeNetwork, ComposeService } from '../model.js';
import { scoped, withStack } from '../stack-names.js';
import type { NetworkAttachment, NetworkSpec } from '../swarm-types.js';
import { type ConvertContext, refuseUndefined } from './context.js';
import { checkDnsName } from './engine-rules.js';

/** The network of services that name none. */
const DEFAULT = 'default';

/** Only networks that a service uses are made. */
export function convertNetworks(context: ConvertContext): {
  readonly networks: readonly NetworkSpec[];
  readonly external: readonly string[];
} {
  const used = new Set([...context.model.services.values()].flatMap(networkKeys));
  const networks: NetworkSpec[] = [];
  const external: string[] = [];
  for (const key of used) {
    const network = context.model.networks.get(key);
    if (network?.external === true) external.push(network.name ?? key);
    else if (network !== undefined || key === DEFAULT) {
      const spec = convertNetwork(key, network, context.stack);
      if (network !== undefined) checkDnsName(spec.Name, network.at, `networks.${key}`, context);
      networks.push(spec);
    }
  }
  return { networks, external };
}

function networkKeys(service: ComposeService): readonly string[] {
  const keys = [...(service.networks?.keys() ?? [])];
  return keys.length === 0 ? [DEFAULT] : keys;
}

function convertNetwork(key: string, network: ComposeNetwork | undefined, stack: string): NetworkSpec {
  const subnets = network?.ipamSubnets ?? [];
  const hasIpam = network?.ipamDriver !== undefined || subnets.length > 0;
  const pools = subnets.map((subnet) => omitEmpty<{ Subnet?: string }>({ Subnet: subnet }));
  return omitAbsent<NetworkSpec>({
    Name: network?.name ?? scoped(stack, key),
    Driver: network?.driver ?? 'overlay',
    Internal: network?.internal ?? false,
    Attachable: network?.attachable ?? false,
    Labels: withStack(stack, network?.labels),
    Options: network?.driverOpts,
    IPAM: hasIpam ? omitEmpty({ Driver: network?.ipamDriver, Config: pools }) : undefined,
  });
}

/** Networks of a service, sorted by name, each with the service's own name as an alias. */
export function convertAttachments(service: ComposeService, context: ConvertContext): readonly NetworkAttachment[] {
  const attachments = networkKeys(service).map((key) => {
    const attachment = service.networks?.get(key);
    const network = context.model.networks.get(key);
    if (network === undefined && key !== DEFAULT)
      refuseUndefined('networks', key, attachment?.at ?? service.at, `services.${service.name}.networks`, context);
    const target = network?.name ?? scoped(context.stack, key);
    const aliases = [...(attachment?.aliases ?? []), ...(isUserDefined(target) ? [service.name] : [])];
    return omitEmpty<NetworkAttachment>({
      Target: target,
      Aliases: aliases,
      DriverOpts: nonEmpty(attachment?.driverOpts),
    });
  });
  return attachments.sort((a, b) => compare(a.Target, b.Target));
}

/** Not one of the engine's own networks, which exist on every node and know no aliases. */
export function isUserDefined(name: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:');
}
