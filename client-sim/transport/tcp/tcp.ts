import { overSocket } from '../duplex/duplex-connection.js';
import { LineFraming } from './line-framing.js';

/**
 * MCP over a bare TCP connection: one message per line, as in MCP's stdio transport. The session is the connection.
 */
export const tcpLink = overSocket(() => new LineFraming());
