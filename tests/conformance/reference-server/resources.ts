import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { pngBase64 } from './content.js';

/** @param era only the session era has `resources/subscribe` */
export function addResources(mcp: McpServer, era: 'legacy' | 'modern'): void {
  const staticText = 'This is the content of the static text resource.';
  mcp.registerResource(
    'static-text',
    'test://static-text',
    { description: 'Text', mimeType: 'text/plain' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'text/plain', text: staticText }] }),
  );
  mcp.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image', mimeType: 'image/png' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: pngBase64 }] }),
  );
  mcp.registerResource(
    'watched',
    'test://watched-resource',
    { description: 'Can be subscribed to', mimeType: 'text/plain' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'text/plain', text: 'watched' }] }),
  );
  mcp.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data by id', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  if (era === 'modern') return;
  mcp.server.setRequestHandler('resources/subscribe', () => ({}));
  mcp.server.setRequestHandler('resources/unsubscribe', () => ({}));
}
