/** The model as the endpoints see it, and what they ask of it. */
import type { Encoder, TextKind } from '../model/encoder.js';
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
  /** Tokens that the model looked at. */
  readonly tokens: number;
}

/** Scores documents against a query. Rejects as Encoder and TokenCounter do. */
export function rankDocuments(
  model: ServedModel,
  query: string,
  documents: readonly string[],
  signal: AbortSignal,
): Promise<Ranking> {
  return together(signal, async (signal) => {
    const [[vector], vectors, ofQuery, ofDocuments] = await Promise.all([
      model.encoder.encode([query], { kind: 'query', signal }),
      model.encoder.encode(documents, { kind: 'document', signal }),
      model.counter.count([query], { kind: 'query', signal }),
      model.counter.count(documents, { kind: 'document', signal }),
    ]);
    const scorer = model.head.scorer(vector as Float32Array);
    const scored = vectors.map((document, index): RankedDocument => {
      const logOdds = scorer.logOdds(document);
      return { index, logOdds, probability: probability(logOdds) };
    });
    // The sort is stable. Where two probabilities are rounded to the same number, the log-odds still tell.
    scored.sort((a, b) => b.logOdds - a.logOdds);
    return { documents: scored, tokens: seen(model, [...ofQuery, ...ofDocuments]) };
  });
}

export interface Embedding {
  readonly vectors: readonly Float32Array[];
  /** Tokens that the model looked at. */
  readonly tokens: number;
}

/** Vectors of texts, in input order. Rejects as Encoder and TokenCounter do. */
export function embed(
  model: ServedModel,
  texts: readonly string[],
  kind: TextKind,
  signal: AbortSignal,
): Promise<Embedding> {
  return together(signal, async (signal) => {
    const [vectors, counts] = await Promise.all([
      model.encoder.encode(texts, { kind, signal }),
      model.counter.count(texts, { kind, signal }),
    ]);
    return { vectors, tokens: seen(model, counts) };
  });
}

function seen({ facts }: ServedModel, counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + Math.min(count, facts.maxTokens), 0);
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
