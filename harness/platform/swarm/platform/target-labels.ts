/**
 * Where in the target's service its MCP endpoint is, and where it tells Prometheus; labels of the service, for images
 * that are not the reference server.
 */
export const PORT_LABEL = 'swarmbench.mcp.port';
export const PATH_LABEL = 'swarmbench.mcp.path';
export const METRICS_PORT_LABEL = 'swarmbench.metrics.port';
