/** An index that does not change while the soak runs, and what each query over it must give. */
import { createHead, probability } from '../../src/model/head.js';
import type { Encoder } from '../../src/model/encoder.js';
import type { Bundle } from '../../src/model/bundle.js';
import type { Random } from '../../src/evaluate/random.js';
import { decodePayload } from '../../src/search-engine/vector-payload.js';
import { titlePool, wholeSource } from '../chaos/documents.js';
import { call } from '../chaos/inspect.js';
import { hitsOf, type ExpectedPage } from './check-page.js';

export const WINDOW = 100;
const DOCUMENTS = 3_000;
const BULK = 250;
const PAGE = 10;

export interface KnownQuery {
  readonly text: string;
  readonly body: string;
  readonly expected: ExpectedPage;
}

/** Documents of the index in bulk bodies. */
export function bulkBodies(random: Random): readonly string[] {
  const lines = titlePool(DOCUMENTS, random).map(
    (title, n) => `{"index":{"_id":"s${n}"}}\n${wholeSource(n, 1, title)}\n`,
  );
  return Array.from({ length: Math.ceil(lines.length / BULK) }, (_, i) =>
    lines.slice(i * BULK, (i + 1) * BULK).join(''),
  );
}

/** That many queries, each with what the engine finds directly and how the head ranks it. */
export async function knownQueries(
  engine: string,
  index: string,
  field: string,
  count: number,
  random: Random,
  bundle: Bundle,
  encoder: Encoder,
): Promise<readonly KnownQuery[]> {
  const head = createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions);
  const known: KnownQuery[] = [];
  for (const title of titlePool(count, random)) {
    const text = title;
    const query = { match: { title: text } };
    const answer = await call(`${engine}/${index}/_search`, 'POST', JSON.stringify({ query, size: WINDOW }));
    const [vector] = await encoder.encode([text], { kind: 'query' });
    const hits = hitsOf(answer) ?? [];
    if (vector === undefined || hits.length < PAGE)
      throw new Error(`The query "${text}" finds ${hits.length} documents.`);
    const scorer = head.scorer(vector);
    const window = hits.map(({ id, source }) => {
      const stored = (JSON.parse(source) as Record<string, string>)[field] ?? '';
      const payload = decodePayload(stored, bundle);
      if (typeof payload === 'string') throw new Error(`The vector of ${id} is ${payload}.`);
      return {
        id,
        stored: source,
        source: source.replace(`"${field}":"${stored}",`, ''),
        probability: probability(scorer.logOdds(payload.vector)),
      };
    });
    known.push({ text, body: JSON.stringify({ query, size: PAGE }), expected: { window, size: PAGE } });
  }
  return known;
}
