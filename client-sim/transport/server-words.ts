import { isObject } from '../mcp/json-value.js';
import { parseText } from '../mcp/scan-answer.js';
import type { ResponseHead } from './http/response-head.js';

/** The parts of a refusal in which a server says why. */
export type RefusalHead = Pick<ResponseHead, 'mediaType' | 'contentType' | 'authenticate'>;

const MAX_CHARACTERS = 300;
/** Only so much of a body is searched for words. */
const MAX_BODY_CHARACTERS = 8192;

/** What a refusal says in its body and in `WWW-Authenticate`, as one line for a sentence; '' when it says nothing. */
export function serverWords(head: RefusalHead, body: string): string {
  const challenge = head.authenticate === '' ? '' : `WWW-Authenticate: ${oneLine(head.authenticate)}`;
  return [bodyWords(head, body), challenge].filter((part) => part !== '').join('; ');
}

/** The words of a body alone. */
export function bodyWords({ contentType }: Pick<RefusalHead, 'contentType'>, body: string): string {
  const text = body.slice(0, MAX_BODY_CHARACTERS);
  const parsed = parseText(text);
  if (parsed.ok) return oneLine(wordsIn(parsed.value));
  return oneLine(/html/i.test(contentType) || /^\s*<(?:!doctype|html)/i.test(text) ? wordsInHtml(text) : text);
}

/** Members in which JSON bodies say what is wrong: JSON-RPC, OAuth (RFC 6749, 5.2), problem details (RFC 9457). */
const TELLING = ['message', 'error_description', 'detail', 'title', 'reason', 'error'] as const;

function wordsIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return '';
  if (isObject(value.error)) return wordsIn(value.error);
  const said = TELLING.flatMap((name) => (typeof value[name] === 'string' ? [value[name]] : []));
  return [...new Set(said)].slice(0, 2).join(', ');
}

function wordsInHtml(text: string): string {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1];
  const shown = text.replace(/<(script|style)[^>]*>.*?<\/\1>/gis, ' ').replace(/<[^>]*>/g, ' ');
  return title === undefined || title.trim() === '' ? shown : title;
}

/** Without control characters, which could change a terminal, and in one line. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS)}...` : line;
}
