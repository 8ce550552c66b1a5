/**
 * Runs the proxy's own parts over a made-up answer before the first caller comes: code that has not run yet is
 * many times slower, and a proxy that has just started would use up the first callers' budgets.
 */
import { encodePayload, hashText } from '../search-engine/vector-payload.js';
import type { IndexSettings } from '../search-engine/mapping-meta.js';
import { arrange } from './arrange.js';
import type { RerankContext, RerankDeps, RerankOptions } from './context.js';
import { planSearch, readSearch } from './plan.js';
import { searchRoute } from './search-route.js';

const HITS = 100;
const ROUNDS = 60;

/** Takes some tens of milliseconds; reports nothing and logs nothing. */
export async function warmUp(
  deps: Pick<RerankDeps, 'encoder' | 'head'>,
  options: RerankOptions,
): Promise<void> {
  const { dimensions, fingerprint } = deps.encoder;
  const settings: IndexSettings = {
    textFields: ['title'],
    vectorField: 'twinrank_vector',
    codec: 'f16',
    dimensions,
    model: 'warm-up',
    fingerprint,
    window: HITS,
  };
  const vectors = Array.from({ length: HITS }, (_, hit) =>
    Float32Array.from({ length: dimensions }, (_value, i) => Math.sin(hit * 31 + i) / Math.sqrt(dimensions)),
  );
  const hits = vectors.map((vector, hit) => {
    const title = `title number ${hit}`;
    const payload = encodePayload({ codec: 'f16', fingerprint, textHash: hashText(title), vector });
    return `{"_index":"i","_id":"${hit}","_score":${HITS - hit}.5,"_source":{"twinrank_vector":"${payload}","title":"${title}"}}`;
  });
  const answer = Buffer.from(
    `{"took":1,"hits":{"total":{"value":${HITS}},"max_score":100.5,"hits":[${hits.join(',')}]}}`,
  );
  const known = { byIndex: new Map([['i', settings]]), maxResultWindow: 10_000, sourcesAreWhole: true };
  const context: RerankContext = {
    deps: {
      encoder: deps.encoder,
      head: deps.head,
      settings: { forSearch: () => Promise.resolve(known), forWrite: () => Promise.resolve(settings) },
    },
    options: { ...options, shadow: false },
    elapsedMs: () => 0,
    remainingMs: () => 0,
  };
  const route = searchRoute('POST', '/i/_search');
  const body = Buffer.from('{"query":{"match":{"title":"some words"}}}');
  const query = { vector: vectors[0] ?? new Float32Array(dimensions), ms: 0 };
  for (let round = 0; round < ROUNDS && route !== undefined; round++) {
    const candidate = readSearch(route, body);
    const plan =
      typeof candidate === 'string' ? candidate : planSearch(candidate, known, deps.encoder, options);
    if (typeof plan === 'string') return;
    await arrange(context, plan, answer, query, { patchTook: true, signal: new AbortController().signal });
  }
}
