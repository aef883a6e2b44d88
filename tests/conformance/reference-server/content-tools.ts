import { setTimeout as sleep } from 'node:timers/promises';
import {
  fromJsonSchema,
  type JsonSchemaType,
  type jsonSchemaValidator,
  type McpServer,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ListChanged } from '../../../swarm/reference-server/mcp/modern-era.js';
import { image, text, wavBase64 } from './content.js';

/** Pause between the messages of a call that sends several. */
const STEP_MS = 50;

/** Tools that answer with every kind of content, with notifications before the answer, or with an error. */
export function addContentTools(mcp: McpServer, validator: jsonSchemaValidator, changed: ListChanged): void {
  mcp.registerTool('test_simple_text', { description: 'Text' }, () => ({
    content: [text('This is a simple text response for testing.')],
  }));
  mcp.registerTool('test_image_content', { description: 'An image' }, () => ({ content: [image] }));
  mcp.registerTool('test_audio_content', { description: 'A sound' }, () => ({
    content: [{ type: 'audio', data: wavBase64, mimeType: 'audio/wav' }],
  }));
  mcp.registerTool('test_embedded_resource', { description: 'A resource within the answer' }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }));
  mcp.registerTool('test_multiple_content_types', { description: 'Text, an image and a resource' }, () => ({
    content: [
      text('Multiple content types test:'),
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }));
  mcp.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  addNotifyingTools(mcp);
  mcp.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(schema202012, validator) },
    () => ({ content: [text('valid')] }),
  );
  mcp.registerTool(
    'test_param_header',
    {
      description: 'Wants its region in a header',
      inputSchema: z.object({
        region: z.string().meta({ 'x-mcp-header': 'Region' }),
        zone: z.int().meta({ 'x-mcp-header': 'Zone' }).optional(),
      }),
    },
    ({ region }) => ({ content: [text(`region ${region}`)] }),
  );
  mcp.registerTool('test_trigger_tool_change', { description: 'Says that the list of tools has changed' }, () => {
    changed('tools_list_changed');
    return { content: [text('said')] };
  });
  mcp.registerTool('test_trigger_prompt_change', { description: 'Says that the list of prompts has changed' }, () => {
    changed('prompts_list_changed');
    return { content: [text('said')] };
  });
}

function addNotifyingTools(mcp: McpServer): void {
  mcp.registerTool('test_tool_with_logging', { description: 'Three log messages, then text' }, async ({ mcpReq }) => {
    for (const [index, message] of [
      'Tool execution started',
      'Tool processing data',
      'Tool execution completed',
    ].entries()) {
      if (index > 0) await sleep(STEP_MS);
      await mcpReq.log('info', message);
    }
    return { content: [text('logged')] };
  });
  mcp.registerTool(
    'test_logging_tool',
    { description: 'One log message, for those who asked for them' },
    async ({ mcpReq }) => {
      await mcpReq.log('info', 'logged');
      return { content: [text('logged')] };
    },
  );
  mcp.registerTool(
    'test_tool_with_progress',
    { description: 'Progress 0, 50 and 100, then text' },
    async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progress > 0) await sleep(STEP_MS);
        if (progressToken !== undefined)
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      return { content: [text('done')] };
    },
  );
  mcp.registerTool(
    'test_reconnection',
    { description: 'Closes its stream before it answers; the answer is there when the client asks again' },
    async ({ http }) => {
      await sleep(STEP_MS);
      http?.closeSSE?.();
      await sleep(STEP_MS);
      return { content: [text('answered after the stream was closed')] };
    },
  );
}

const schema202012: JsonSchemaType = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
