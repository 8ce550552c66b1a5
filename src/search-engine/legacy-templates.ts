/** Index templates of the older kind (`_template`): all that match are merged, a higher order wins. */
import type { EngineClient } from './client.js';
import { isRecord } from './json-value.js';

/** Mappings that such templates give to an index that is not there yet; undefined where none matches. */
export async function legacyMappings(client: EngineClient, index: string): Promise<unknown> {
  const answer = await client.request({ method: 'GET', path: '/_template' });
  // Newer engines have none, and not every caller may look.
  if (answer.status !== 200 || !isRecord(answer.body)) return undefined;
  const matching = Object.values(answer.body)
    .filter(isRecord)
    .filter((template) =>
      [template['index_patterns']].flat().some((pattern) => patternMatches(String(pattern), index)),
    )
    .sort((a, b) => Number(a['order'] ?? 0) - Number(b['order'] ?? 0))
    .flatMap((template) => (isRecord(template['mappings']) ? [template['mappings']] : []));
  if (matching.length === 0) return undefined;
  return {
    _meta: matching.findLast((mappings) => mappings['_meta'] !== undefined)?.['_meta'],
    properties: Object.assign({}, ...matching.map((mappings) => mappings['properties'] ?? {})) as unknown,
  };
}

/** Wildcards as the engine reads them in index patterns: `*` alone is special. */
export function patternMatches(pattern: string, index: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(index);
}
