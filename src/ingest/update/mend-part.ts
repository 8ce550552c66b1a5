/** Updates of a part between whose reading and writing somebody else wrote the document. */
import type { Part } from '../bulk-part.js';
import { readItem } from '../bulk-reply.js';
import { cameBetween, readUpdateAnswer } from './mend-vector.js';
import type { UpdateTarget } from './vectorize-update.js';

/**
 * Mends the vectors of those, one after the other.
 * @param results the engine's results of all items of the part, in order; other than all of them tell nothing
 */
export async function mendPart(
  part: Part,
  results: readonly Buffer[],
  mend: (target: UpdateTarget) => Promise<void>,
): Promise<void> {
  const items = part.filter((entry) => entry.action !== undefined);
  if (results.length !== items.length) return;
  for (const [place, { action, from }] of items.entries()) {
    if (from === undefined || action?.index === undefined || action.id === undefined) continue;
    const { status, said } = readItem(results[place] as Buffer);
    if (status < 200 || status >= 300 || !cameBetween(from, readUpdateAnswer(said))) continue;
    await mend({ index: action.index, id: action.id, routing: action.routing });
  }
}
