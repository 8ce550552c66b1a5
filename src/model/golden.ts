/**
 * Compares what this machine's encoder gives with what the reference gave when the bundle was built. A wrong
 * tokeniser, damaged weights or a runtime that computes differently would otherwise show only as poor ranking.
 * Pure.
 */
import type { Bundle } from './bundle.js';
import { cosine } from './cosine.js';
import { createHead, probability } from './head.js';
import type { EncodedTexts, KindedText } from './worker-protocol.js';

/** Largest difference of one number of a unit-length vector, and of a probability, in fp32. */
export const VECTOR_TOLERANCE = 1e-4;
export const PROBABILITY_TOLERANCE = 1e-3;
/**
 * In int8, least cosine to the reference's vector, which is fp32's, and largest difference of a probability.
 * zh-en-small has .9981 and .016; a processor that multiplied wrongly would have far less.
 */
export const INT8_COSINE = 0.95;
export const INT8_PROBABILITY_TOLERANCE = 0.1;

type Checked = Pick<Bundle, 'golden' | 'head' | 'dimensions' | 'precision'>;

/** The texts to encode for the check, in the order that goldenMismatch expects. */
export function goldenProbe({ golden }: Pick<Bundle, 'golden'>): KindedText[] {
  return [
    ...golden.texts.map(({ text, kind }) => ({ text, kind })),
    ...golden.pairs.flatMap(({ query, passage }): KindedText[] => [
      { text: query, kind: 'query' },
      { text: passage, kind: 'document' },
    ]),
  ];
}

/** What differs, as a sentence, or null when everything agrees. */
export function goldenMismatch(checked: Checked, encoded: EncodedTexts): string | null {
  const { golden, dimensions } = checked;
  for (const [index, { text, ids, vector: expected }] of golden.texts.entries()) {
    const got = encoded.ids[index] ?? [];
    if (got.length !== ids.length || got.some((id, position) => id !== ids[position])) {
      return `golden text ${quote(text)} has other token ids than the reference.`;
    }
    const wrong = vectorMismatch(checked, row(encoded.vectors, index, dimensions), expected);
    if (wrong !== null) return `the vector of golden text ${quote(text)} ${wrong}`;
  }
  const probabilities = pairProbabilities(checked, encoded);
  for (const [index, { query, passage, probability: expected }] of golden.pairs.entries()) {
    const got = probabilities[index] as number;
    const tolerance = checked.precision === 'int8' ? INT8_PROBABILITY_TOLERANCE : PROBABILITY_TOLERANCE;
    if (!(Math.abs(got - expected) <= tolerance)) {
      return `golden pair ${quote(query)} and ${quote(passage)} has the probability ${got.toFixed(4)}, the reference ${expected}.`;
    }
  }
  return null;
}

function vectorMismatch(
  { precision }: Checked,
  vector: Float32Array,
  expected: readonly number[],
): string | null {
  if (precision === 'int8') {
    const similarity = cosine(vector, expected);
    if (similarity >= INT8_COSINE) return null;
    return `has the cosine ${similarity.toFixed(4)} to that of fp32 (at least ${INT8_COSINE}); this encoder is not fit for int8, start with --precision fp32.`;
  }
  const off = largestDifference(vector, expected);
  if (off <= VECTOR_TOLERANCE) return null;
  return `differs by ${off.toExponential(1)} (at most ${VECTOR_TOLERANCE}).`;
}

/** How far the vectors and probabilities are from the reference's at most: for people; the verdict is goldenMismatch. */
export function goldenDistance(checked: Checked, encoded: EncodedTexts) {
  const { golden, dimensions } = checked;
  const ofTexts = golden.texts.map((text, index) =>
    largestDifference(row(encoded.vectors, index, dimensions), text.vector),
  );
  const probabilities = pairProbabilities(checked, encoded);
  const ofPairs = golden.pairs.map((pair, index) =>
    Math.abs((probabilities[index] as number) - pair.probability),
  );
  const cosines = golden.texts.map((text, index) =>
    cosine(row(encoded.vectors, index, dimensions), text.vector),
  );
  return {
    vector: Math.max(...ofTexts),
    cosine: Math.min(...cosines),
    probability: Math.max(...ofPairs),
  };
}

function pairProbabilities({ golden, head, dimensions }: Checked, { vectors }: EncodedTexts): number[] {
  const scoring = createHead(head.weight, head.bias, dimensions);
  return golden.pairs.map((_, index) => {
    const at = golden.texts.length + 2 * index;
    const scorer = scoring.scorer(row(vectors, at, dimensions));
    return probability(scorer.logOdds(row(vectors, at + 1, dimensions)));
  });
}

/** The vector of one text of a batch. */
export function row(vectors: Float32Array, index: number, dimensions: number): Float32Array {
  return vectors.subarray(index * dimensions, (index + 1) * dimensions);
}

/** Largest difference of two vectors in one number; NaN where one is no number. */
export function largestDifference(vector: Float32Array, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs((vector[i] ?? Number.NaN) - (expected[i] as number));
    if (!(off <= largest)) largest = off;
  }
  return largest;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
