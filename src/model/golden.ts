/**
 * Compares what this machine's encoder gives with what the reference gave when the bundle was built. A wrong
 * tokeniser, damaged weights or a runtime that computes differently would otherwise show only as poor ranking.
 * Pure.
 */
import type { Bundle } from './bundle.js';
import { createHead, probability } from './head.js';
import type { EncodedTexts, KindedText } from './worker-protocol.js';

/** Largest difference of one number of a unit-length vector. */
export const VECTOR_TOLERANCE = 1e-4;
export const PROBABILITY_TOLERANCE = 1e-3;

type Checked = Pick<Bundle, 'golden' | 'head' | 'dimensions'>;

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
export function goldenMismatch({ golden, head, dimensions }: Checked, encoded: EncodedTexts): string | null {
  const vector = (index: number) => encoded.vectors.subarray(index * dimensions, (index + 1) * dimensions);
  for (const [index, { text, ids, vector: expected }] of golden.texts.entries()) {
    const got = encoded.ids[index] ?? [];
    if (got.length !== ids.length || got.some((id, position) => id !== ids[position])) {
      return `golden text ${quote(text)} has other token ids than the reference.`;
    }
    const off = largestDifference(vector(index), expected);
    if (!(off <= VECTOR_TOLERANCE)) {
      return `the vector of golden text ${quote(text)} differs by ${off.toExponential(1)} (at most ${VECTOR_TOLERANCE}).`;
    }
  }
  const scoring = createHead(head.weight, head.bias, dimensions);
  for (const [index, { query, passage, probability: expected }] of golden.pairs.entries()) {
    const at = golden.texts.length + 2 * index;
    const got = probability(scoring.scorer(vector(at)).logOdds(vector(at + 1)));
    if (!(Math.abs(got - expected) <= PROBABILITY_TOLERANCE)) {
      return `golden pair ${quote(query)} and ${quote(passage)} has the probability ${got.toFixed(4)}, the reference ${expected}.`;
    }
  }
  return null;
}

/** How far the vectors and probabilities are from the reference's at most: for people; the verdict is goldenMismatch. */
export function goldenDistance({ golden, head, dimensions }: Checked, { vectors }: EncodedTexts) {
  const vector = (index: number) => vectors.subarray(index * dimensions, (index + 1) * dimensions);
  const scoring = createHead(head.weight, head.bias, dimensions);
  const ofPairs = golden.pairs.map(({ probability: expected }, index) => {
    const at = golden.texts.length + 2 * index;
    return Math.abs(probability(scoring.scorer(vector(at)).logOdds(vector(at + 1))) - expected);
  });
  return {
    vector: Math.max(...golden.texts.map((text, index) => largestDifference(vector(index), text.vector))),
    probability: Math.max(...ofPairs),
  };
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
