/** Measures searches as a caller sends them, to the engine and through the proxy. */
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import type { EngineTimes, MeasuredSearch } from './searches.js';

export interface MeasuredSearches {
  readonly engine: EngineTimes;
  /** Undefined without a proxy. */
  readonly proxy: readonly MeasuredSearch[] | undefined;
}

const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
/** Of each text, as people type. */
const WORDS = 8;
const PAGE = 10;
/** Asked first and not counted: connections, caches. */
const WARM_UP = 2;

/** Searches for the beginnings of the texts. A text says why they cannot be measured. */
export async function measureSearches(
  engine: EngineClient,
  proxy: EngineClient | undefined,
  index: string,
  settings: IndexSettings,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<MeasuredSearches | string> {
  const path = `/${encodeExpression(index)}/_search`;
  const search = async (client: EngineClient, text: string, size: number): Promise<MeasuredSearch> => {
    const query = { multi_match: { query: beginningOf(text), fields: settings.textFields } };
    const begun = performance.now();
    const { status, headers } = await client.bytes(
      { method: 'POST', path, body: { query, size }, signal },
      MAX_ANSWER_BYTES,
    );
    const outcome = headers['x-twinrank'];
    return {
      ms: performance.now() - begun,
      status,
      outcome: outcome === undefined ? undefined : String(outcome),
    };
  };
  const page: number[] = [];
  const window: number[] = [];
  const through: MeasuredSearch[] = [];
  try {
    for (const [n, text] of texts.entries()) {
      const direct = await search(engine, text, PAGE);
      if (direct.status !== 200) return `the engine answers a search with status ${direct.status}`;
      const wide = await search(engine, text, settings.window);
      if (wide.status !== 200)
        return `the engine answers a search for ${settings.window} hits with status ${wide.status}`;
      const reranked = proxy === undefined ? undefined : await search(proxy, text, PAGE);
      if (n < WARM_UP && texts.length > WARM_UP) continue;
      page.push(direct.ms);
      window.push(wide.ms);
      if (reranked !== undefined) through.push(reranked);
    }
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
  return {
    engine: { page, window, windowSize: settings.window },
    proxy: proxy === undefined ? undefined : through,
  };
}

function beginningOf(text: string): string {
  return text.split(/\s+/).slice(0, WORDS).join(' ').slice(0, 200);
}
