/** Recognises the writes that get vectors; everything else is left to pass through. */

export type WriteRoute =
  /** `PUT|POST /{index}/_doc[/{id}]` and `/{index}/_create/{id}`. */
  | { readonly kind: 'document'; readonly index: string }
  /** `POST|PUT /_bulk` and `/{index}/_bulk`; `index` is the default of its lines. */
  | { readonly kind: 'bulk'; readonly index: string | undefined };

/** The write that the request line asks for, or undefined. */
export function writeRoute(method: string, target: string): WriteRoute | undefined {
  if (method !== 'POST' && method !== 'PUT') return undefined;
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  const segments = path.split('/').filter((segment) => segment !== '');
  const [first, second] = segments;
  if (segments.length === 1 && first === '_bulk') return { kind: 'bulk', index: undefined };
  if (first === undefined || first.startsWith('_')) return undefined;
  const index = decode(first);
  if (index === undefined) return undefined;
  if (segments.length === 2 && second === '_bulk') return { kind: 'bulk', index };
  const writesDocument =
    (second === '_doc' && (segments.length === 3 || (segments.length === 2 && method === 'POST'))) ||
    (second === '_create' && segments.length === 3);
  return writesDocument ? { kind: 'document', index } : undefined;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
