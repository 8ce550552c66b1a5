/** What a search says about which parts of its hits come back: read only, to know what is whole and what was named. */
import { memberNamed, scanDocument } from '../search-engine/json-scan.js';
import { isRecord } from '../search-engine/json-value.js';
import { parameterValue, type SearchRoute } from './search-route.js';

/** True where hits come with their `_source` as it was indexed. */
export function isWholeSource(route: SearchRoute, body: Record<string, unknown>): boolean {
  const parameter = parameterValue(route, '_source');
  if (route.parameters.some(({ name }) => /^_source_(includes?|excludes?)$/.test(name))) return false;
  if (parameter !== undefined) return parameter === 'true';
  return body['_source'] === undefined || body['_source'] === true || body['_source'] === 'true';
}

/** All that the request says about `_source`, as text. */
export function sourceWishes(route: SearchRoute, body: Buffer): string {
  const parameters = route.parameters.filter(({ name }) => name.startsWith('_source'));
  const inBody = body.length === 0 ? undefined : memberNamed(body, scanDocument(body).members, '_source');
  // Taken from the bytes: printing a parsed value of 100,000 brackets would exhaust the stack.
  const text = inBody === undefined ? '' : body.toString('utf8', inBody.start, inBody.end);
  return [...parameters.map(({ value }) => value), text].join(' ');
}

/** Names in `fields` and `docvalue_fields`; a pattern names nothing. */
export function namedFields(route: SearchRoute, body: Record<string, unknown>): ReadonlySet<string> {
  const wishes = [body['fields'], body['docvalue_fields']].flat() as unknown[];
  const names = wishes.map((wish) => (isRecord(wish) ? wish['field'] : wish));
  const parameter = parameterValue(route, 'docvalue_fields')?.split(',') ?? [];
  return new Set([...names, ...parameter].filter((name) => typeof name === 'string'));
}
