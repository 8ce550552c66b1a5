/** Index templates of the older kind (`_template`): all that match are merged, the one of the highest order wins. */
import type { EngineClient } from './client.js';
import { isRecord } from './json-value.js';

/**
 * Mappings that such templates give to an index that is not there yet; undefined where none does. Of the mappings
 * the `_meta` block is what is asked for here, so the highest order that has one is taken.
 */
export async function legacyMappings(client: EngineClient, index: string): Promise<unknown> {
  const answer = await client.request({ method: 'GET', path: '/_template' });
  // Newer engines have none, and not every caller may look.
  if (answer.status !== 200 || !isRecord(answer.body)) return undefined;
  let highest = -Infinity;
  let found: unknown;
  for (const template of Object.values(answer.body)) {
    if (!isRecord(template) || !isRecord(template['mappings'])) continue;
    const order = Number(template['order'] ?? 0);
    const patterns = [template['index_patterns']].flat().map(String);
    if (order < highest || template['mappings']['_meta'] === undefined) continue;
    if (!patterns.some((pattern) => matches(pattern, index))) continue;
    highest = order;
    found = template['mappings'];
  }
  return found;
}

/** Wildcards as the engine reads them in index patterns: `*` alone is special. */
function matches(pattern: string, index: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(index);
}
