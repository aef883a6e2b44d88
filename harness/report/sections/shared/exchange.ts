/** The first request and response of a kind, as the sections on errors and misbehaviour show them. */
import { z } from 'zod';
import type { ErrorSample } from '../../../../client-sim/protocol/telemetry.js';
import { html, type Markup } from '../../html/markup.js';
import { clip } from '../../tidy.js';

export const exchangeFields = {
  operation: z.string(),
  detail: z.string(),
  request: z.string().optional(),
  response: z.string().optional(),
};
type Exchange = z.infer<z.ZodObject<typeof exchangeFields>>;

export function exchangeOf({ operation, detail, request, response }: ErrorSample): Exchange {
  return {
    operation,
    detail,
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
  };
}

export function exchangeText({ request, response }: Exchange): Markup {
  return html`${part('Request', request)}
${part('Response', response)}`;
}

const shownLength = 4096;

function part(name: string, text: string | undefined): Markup | string {
  return text === undefined ? '' : html`<p class="note">${name}</p><pre tabindex="0">${clip(text, shownLength)}</pre>`;
}
