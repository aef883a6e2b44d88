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
 * MCP servers with the tools, prompts and resources that the official conformance suite calls for
 * (`@modelcontextprotocol/conformance`, README), on SDK 2.x in both eras. Everything below them (endpoint, eras,
 * sessions, streams, host check) belongs to the reference server.
 */
export class ConformanceServers implements ServerFactory {
  /** Seals the state that a client has to send back unchanged, with a key that all servers of this process share. */
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
