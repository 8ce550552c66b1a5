/** Whether a search speaks JSON both ways; the engines' other formats are left alone. */
import { contentEncoding, headerValue } from '../http/header-rules.js';

/** JSON under its own name or a vendor's, such as application/vnd.elasticsearch+json;compatible-with=8. */
const JSON_TYPE = /^application\/(?:[\w.+-]*\+)?json\b/i;

/** What a body may be sent as: JSON, or JSON lines for multi-searches. */
const JSON_OR_LINES = /^application\/(?:[\w.+-]*\+)?(?:json|x-ndjson)\b/i;

/** True where the answer will be JSON: no wish, any type, or JSON named first among the wishes. */
export function acceptsJson(rawHeaders: readonly string[]): boolean {
  const accept = headerValue(rawHeaders, 'accept')?.trim() ?? '';
  if (accept === '' || accept.startsWith('*/*')) return true;
  // Browsers name HTML first and */* somewhere; the engines answer JSON to what they do not know.
  return JSON_TYPE.test(accept) || accept.startsWith('text/html');
}

/** Why a body cannot be read here; undefined where it can. One without a type is the engine's to refuse. */
export function unreadableBody(rawHeaders: readonly string[]): 'content_encoding' | 'format' | undefined {
  const encoding = contentEncoding(rawHeaders);
  if (encoding !== 'identity' && encoding !== 'gzip') return 'content_encoding';
  const type = headerValue(rawHeaders, 'content-type')?.trim() ?? '';
  return (type === '' ? !announcesBody(rawHeaders) : JSON_OR_LINES.test(type)) ? undefined : 'format';
}

function announcesBody(rawHeaders: readonly string[]): boolean {
  return (
    headerValue(rawHeaders, 'transfer-encoding') !== undefined ||
    (headerValue(rawHeaders, 'content-length') ?? '0').trim() !== '0'
  );
}
