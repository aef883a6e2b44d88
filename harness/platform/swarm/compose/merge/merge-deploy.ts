import type {
  ComposeDeploy,
  ComposeLimits,
  ComposeReservations,
  ComposeRestartPolicy,
  ComposeUpdateConfig,
} from '../model.js';
import { appended, both, later, latest, united } from './rules.js';

export function mergeDeploy(base: ComposeDeploy, override: ComposeDeploy): ComposeDeploy {
  return {
    mode: later(base.mode, override.mode),
    replicas: latest(base.replicas, override.replicas),
    endpointMode: later(base.endpointMode, override.endpointMode),
    labels: united(base.labels, override.labels),
    limits: both(base.limits, override.limits, mergeLimits),
    reservations: both(base.reservations, override.reservations, mergeReservations),
    restartPolicy: both(base.restartPolicy, override.restartPolicy, mergeRestartPolicy),
    updateConfig: both(base.updateConfig, override.updateConfig, mergeUpdateConfig),
    rollbackConfig: both(base.rollbackConfig, override.rollbackConfig, mergeUpdateConfig),
    constraints: appended(base.constraints, override.constraints),
    spread: appended(base.spread, override.spread),
    maxReplicasPerNode: later(base.maxReplicasPerNode, override.maxReplicasPerNode),
  };
}

function mergeLimits(base: ComposeLimits, override: ComposeLimits): ComposeLimits {
  return {
    cpus: later(base.cpus, override.cpus),
    memoryBytes: later(base.memoryBytes, override.memoryBytes),
    pids: later(base.pids, override.pids),
  };
}

function mergeReservations(base: ComposeReservations, override: ComposeReservations): ComposeReservations {
  return {
    cpus: later(base.cpus, override.cpus),
    memoryBytes: later(base.memoryBytes, override.memoryBytes),
    generic: appended(base.generic, override.generic),
  };
}

function mergeRestartPolicy(base: ComposeRestartPolicy, override: ComposeRestartPolicy): ComposeRestartPolicy {
  return {
    condition: later(base.condition, override.condition),
    delayNs: later(base.delayNs, override.delayNs),
    maxAttempts: latest(base.maxAttempts, override.maxAttempts),
    windowNs: later(base.windowNs, override.windowNs),
  };
}

function mergeUpdateConfig(base: ComposeUpdateConfig, override: ComposeUpdateConfig): ComposeUpdateConfig {
  return {
    parallelism: latest(base.parallelism, override.parallelism),
    delayNs: later(base.delayNs, override.delayNs),
    failureAction: later(base.failureAction, override.failureAction),
    monitorNs: later(base.monitorNs, override.monitorNs),
    maxFailureRatio: later(base.maxFailureRatio, override.maxFailureRatio),
    order: later(base.order, override.order),
  };
}
