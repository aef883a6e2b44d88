import {
  WebStandardStreamableHTTPServerTransport,
  type WebStandardStreamableHTTPServerTransportOptions,
} from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isJSONRPCResultResponse, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { signed } from './replica-meta.js';

/** The SDK's own transport; it puts the replica into every result, also into those the SDK makes (initialize). */
export class LegacyTransport extends WebStandardStreamableHTTPServerTransport {
  constructor(
    private readonly replica: string,
    options: WebStandardStreamableHTTPServerTransportOptions,
  ) {
    super(options);
  }

  override send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (isJSONRPCResultResponse(message)) message.result = signed(message.result, this.replica);
    return super.send(
      message,
      options?.relatedRequestId === undefined ? {} : { relatedRequestId: options.relatedRequestId },
    );
  }
}
