/** Recognises the writes that get vectors; everything else is left to pass through. */

export type WriteRoute =
  /** `PUT|POST /{index}/_doc[/{id}]` and `/{index}/_create/{id}`, and version 7's paths with a type. */
  | { readonly kind: 'document'; readonly index: string }
  /** `POST /{index}/_update/{id}` and version 7's `/{index}/{type}/{id}/_update`. */
  | { readonly kind: 'update'; readonly index: string; readonly id: string }
  /** `POST|PUT /_bulk`, `/{index}/_bulk` and version 7's `/{index}/{type}/_bulk`; `index` is its lines' default. */
  | { readonly kind: 'bulk'; readonly index: string | undefined }
  /** OpenSearch 3's `/_bulk/stream` and `/{index}/_bulk/stream`, whose answers come while the body is still sent. */
  | { readonly kind: 'bulk_stream' };

/** The write that the request line asks for, or undefined. */
export function writeRoute(method: string, target: string): WriteRoute | undefined {
  if (method !== 'POST' && method !== 'PUT') return undefined;
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  const segments = path.split('/').filter((segment) => segment !== '');
  const [first, second] = segments;
  if (segments.at(-1) === 'stream' && segments.at(-2) === '_bulk' && segments.length <= 3)
    return { kind: 'bulk_stream' };
  if (segments.length === 1 && first === '_bulk') return { kind: 'bulk', index: undefined };
  if (first === undefined || first.startsWith('_')) return undefined;
  const index = decode(first);
  if (index === undefined) return undefined;
  if (segments.at(-1) === '_bulk' && (segments.length === 2 || (segments.length === 3 && isType(second))))
    return { kind: 'bulk', index };
  const updated = method === 'POST' && segments.length <= 4 ? updatedId(segments) : undefined;
  if (updated !== undefined) {
    const id = decode(updated);
    return id === undefined ? undefined : { kind: 'update', index, id };
  }
  return writesDocument(method, segments) ? { kind: 'document', index } : undefined;
}

function writesDocument(method: string, [, second, third, fourth, fifth]: readonly string[]): boolean {
  if (fourth !== undefined) return isType(second) && fourth === '_create' && fifth === undefined;
  if (third === undefined) return method === 'POST' && isType(second);
  // Behind a type that is not "_doc" stand other APIs as well, such as "_search".
  return second === '_doc' || second === '_create' || (isType(second) && !third.startsWith('_'));
}

/** The id, as it is written in the path, of an update. */
function updatedId([, second, third, fourth]: readonly string[]): string | undefined {
  if (second === '_update' && fourth === undefined) return third;
  return isType(second) && fourth === '_update' ? third : undefined;
}

/** Names of types may not begin with "_", but for the one that every index had last. */
function isType(segment: string | undefined): boolean {
  return segment === '_doc' || segment?.startsWith('_') === false;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
