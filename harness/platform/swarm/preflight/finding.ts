export interface PreflightFinding {
  /** A problem would make the deployment fail; a warning may be intended. */
  readonly level: 'problem' | 'warning';
  readonly code:
    | 'NOT_A_MANAGER'
    | 'NO_NODE'
    | 'NODE_UNUSED'
    | 'PORT_IN_USE'
    | 'IMAGE_MISSING'
    | 'IMAGE_ON_ONE_NODE'
    | 'NO_VXLAN'
    | 'NO_IPVS'
    | 'FEW_OPEN_FILES'
    | 'SMALL_CONNTRACK';
  readonly message: string;
  readonly hint: string | undefined;
}
