import { randomBytes } from 'node:crypto';
import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import type { LegacyServer } from '../../../swarm/reference-server/mcp/legacy-server.js';
import type { ListChanged, ServerFactory } from '../../../swarm/reference-server/mcp/modern-era.js';
import { serverName, serverVersion } from '../../../swarm/reference-server/mcp/replica-meta.js';
import { addAskingTools } from './asking-tools.js';
import { addContentTools } from './content-tools.js';
import { addPrompts } from './prompts.js';
import { addResources } from './resources.js';

/**
 * What the official conformance suite asks of a server under test, by the names it asks for
 * (`@modelcontextprotocol/conformance`, README). Served in place of the catalogue, by SDK 2.x in both eras; everything
 * below it (endpoint, eras, sessions, streams, host check) is the reference server's own.
 */
export class ConformanceServers implements ServerFactory {
  /** What a client brings back must be what it was given: sealed, by a key that all servers of this process share. */
  private readonly state = createRequestStateCodec({ key: randomBytes(32) });
  private readonly jsonSchemaValidator = new AjvJsonSchemaValidator();

  modern(changed: ListChanged): McpServer {
    return this.server('modern', changed);
  }

  legacy(): LegacyServer {
    const mcp = this.server('legacy', (kind) =>
      kind === 'tools_list_changed' ? mcp.sendToolListChanged() : mcp.sendPromptListChanged(),
    );
    return {
      set onclose(act: () => void) {
        mcp.server.onclose = act;
      },
      connect: (transport) => mcp.connect(transport as Parameters<McpServer['connect']>[0]),
      close: () => mcp.close(),
    };
  }

  private server(era: 'legacy' | 'modern', changed: ListChanged): McpServer {
    const mcp = new McpServer(
      { name: serverName, version: serverVersion },
      {
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true },
          prompts: { listChanged: true },
          logging: {},
          completions: {},
        },
        jsonSchemaValidator: this.jsonSchemaValidator,
        requestState: { verify: this.state.verify },
      },
    );
    addContentTools(mcp, this.jsonSchemaValidator, changed);
    addAskingTools(mcp, this.state);
    addResources(mcp, era);
    addPrompts(mcp);
    return mcp;
  }
}
