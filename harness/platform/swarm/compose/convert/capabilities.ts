/** Names as the engine wants them (`CAP_NET_ADMIN`), sorted; what is added is not dropped; ALL stands for any other. */
export function convertCapabilities(
  add: readonly string[] = [],
  drop: readonly string[] = [],
): { readonly added: readonly string[]; readonly dropped: readonly string[] } {
  const added = normalised(add);
  const dropped = normalised(drop).filter((capability) => !added.includes(capability));
  return { added, dropped };
}

function normalised(capabilities: readonly string[]): readonly string[] {
  const names = capabilities.map((each) => {
    const name = each.trim().toUpperCase();
    return name === 'ALL' || name === 'RESET' || name.startsWith('CAP_') ? name : `CAP_${name}`;
  });
  // RESET has a meaning on `docker service update` only.
  return names.includes('ALL') ? ['ALL'] : [...new Set(names)].filter((name) => name !== 'RESET').sort();
}
