/** The model as the endpoints see it, and what they ask of it. */
import { asTwinrankError } from '../errors.js';
import type { EncodeOptions, Encoder, TextKind } from '../model/encoder.js';
import { probability, type Head } from '../model/head.js';
import type { TokenCounter } from '../model/token-counter.js';

/** What is told about the model that is served. */
export interface ModelFacts {
  readonly name: string;
  /** Tokens that the model looks at; longer texts are cut. */
  readonly maxTokens: number;
  /** Whether its vectors have length 1. */
  readonly normalized: boolean;
}

export interface ServedModel {
  readonly facts: ModelFacts;
  readonly encoder: Encoder;
  readonly head: Head;
  readonly counter: TokenCounter;
  /** False while nothing can be encoded. */
  readonly isReady: () => boolean;
}

/** A document's place in the request and its score. */
export interface RankedDocument {
  readonly index: number;
  readonly logOdds: number;
  readonly probability: number;
}

export interface Ranking {
  /** Best first; equal ones in the order of the request. */
  readonly documents: readonly RankedDocument[];
  /** Tokens that the model looked at; 0 where nobody asked. */
  readonly tokens: number;
}

/** Counting costs about a tenth of encoding, so it is done for answers that say the number. */
export interface Wishes {
  readonly tokens: boolean;
}

/** Scores documents against a query. Rejects as Encoder and TokenCounter do. */
export function rankDocuments(
  model: ServedModel,
  query: string,
  documents: readonly string[],
  wishes: Wishes,
  signal: AbortSignal,
): Promise<Ranking> {
  return together(signal, async (signal) => {
    const [ofQuery, ofDocuments] = await Promise.all([
      embedding(model, [query], wishes, { kind: 'query', signal }),
      embedding(model, documents, wishes, { kind: 'document', signal }),
    ]);
    const scorer = model.head.scorer(ofQuery.vectors[0] as Float32Array);
    const scored = ofDocuments.vectors.map((document, index): RankedDocument => {
      const logOdds = scorer.logOdds(document);
      return { index, logOdds, probability: probability(logOdds) };
    });
    // The sort is stable. Where two probabilities are rounded to the same number, the log-odds still tell.
    scored.sort((a, b) => b.logOdds - a.logOdds);
    return { documents: scored, tokens: ofQuery.tokens + ofDocuments.tokens };
  });
}

export interface Embedding {
  readonly vectors: readonly Float32Array[];
  /** Tokens that the model looked at; 0 where nobody asked. */
  readonly tokens: number;
}

/** Vectors of texts, in input order. Rejects as Encoder and TokenCounter do. */
export function embed(
  model: ServedModel,
  texts: readonly string[],
  kind: TextKind,
  wishes: Wishes,
  signal: AbortSignal,
): Promise<Embedding> {
  return together(signal, (signal) => embedding(model, texts, wishes, { kind, signal }));
}

async function embedding(
  model: ServedModel,
  texts: readonly string[],
  wishes: Wishes,
  options: EncodeOptions,
): Promise<Embedding> {
  const [vectors, counts] = await Promise.all([
    encode(model, texts, options),
    wishes.tokens ? model.counter.count(texts, options) : [],
  ]);
  const tokens = counts.reduce((sum, count) => sum + Math.min(count, model.facts.maxTokens), 0);
  return { vectors, tokens };
}

/** A failure that lies in the texts is told from one that lies in the model. */
async function encode(
  { encoder, counter }: ServedModel,
  texts: readonly string[],
  options: EncodeOptions,
): Promise<readonly Float32Array[]> {
  try {
    return await encoder.encode(texts, options);
  } catch (error) {
    if (asTwinrankError(error).code === 'encode_failed') await counter.count(texts, options);
    throw error;
  }
}

/** Runs work whose parts are given up when one of them fails. */
async function together<Result>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const failed = new AbortController();
  try {
    return await work(AbortSignal.any([signal, failed.signal]));
  } catch (error) {
    failed.abort();
    throw error;
  }
}
