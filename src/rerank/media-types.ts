/** Whether a search speaks JSON both ways; the engines' other formats are left alone. */
import { headerValue } from '../http/header-rules.js';

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

/** True where the body, if any, is uncompressed JSON (its type may be missing). */
export function sendsPlainJson(rawHeaders: readonly string[]): boolean {
  const encoding = headerValue(rawHeaders, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  const type = headerValue(rawHeaders, 'content-type')?.trim() ?? '';
  return encoding === 'identity' && (type === '' || JSON_OR_LINES.test(type));
}
