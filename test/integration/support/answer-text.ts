/** Search answers cut into texts, to compare what reranking must keep byte for byte. */
import { scanResponse } from '../../../src/rerank/search-response.js';

export interface AnswerText {
  /** Before and after the hits, without `took` and `max_score`. */
  readonly around: string;
  /** Each hit in order, without its `_score` and without the vector. */
  readonly hits: readonly string[];
}

/** What a reranked answer must share with the engine's own: `around`, and `hits` as a set. */
export function answerText(body: Buffer): AnswerText {
  const { array, hits } = scanResponse(body);
  const text = (start: number, end: number): string => body.toString('utf8', start, end);
  return {
    around: (text(0, array.start) + text(array.end, body.length))
      .replace(/"took":\d+/, '"took":…')
      .replace(/"max_score":[^,}]+/, '"max_score":…'),
    hits: hits.map((hit) =>
      text(hit.start, hit.end)
        .replace(/"_score":[^,}]+/, '"_score":…')
        .replace(/"twinrank_vector":"[^"]*",|,?"twinrank_vector":"[^"]*"/, ''),
    ),
  };
}
