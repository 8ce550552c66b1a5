/**
 * The small JSON files of a bundle beside the manifest: the head's weights and the golden examples. Pure: each
 * parser takes the parsed JSON and throws a plain Error that says what is wrong.
 */
import type { TextKind } from './encoder.js';
import type { Manifest } from './manifest.js';

/** Weights of the classifier head as stored; createHead makes a scorer of them. */
export interface HeadWeights {
  /** Row of class 0 (different) and class 1 (similar), each [u; v; |u-v|]. */
  readonly weight: readonly (readonly number[])[];
  readonly bias: readonly number[];
  /** What the training script noted: data, figures. Shown by tools, not used. */
  readonly training: unknown;
}

export interface GoldenText {
  readonly text: string;
  readonly kind: TextKind;
  readonly ids: readonly number[];
  readonly vector: readonly number[];
}

export interface GoldenPair {
  readonly query: string;
  readonly passage: string;
  readonly probability: number;
}

/** What the encoder must give, computed by the reference implementation when the bundle was built. */
export interface Golden {
  readonly texts: readonly GoldenText[];
  readonly pairs: readonly GoldenPair[];
}

type Expected = Pick<Manifest, 'dimensions' | 'fingerprint'>;

/** Checks shapes, that every weight is finite, and that the head was trained on this very encoder. */
export function parseHead(json: unknown, { dimensions, fingerprint }: Expected): HeadWeights {
  const head = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (head['format'] !== 1) throw new Error('"format" must be 1.');
  if (head['dimensions'] !== dimensions) {
    throw new Error(
      `it is for ${String(head['dimensions'])} dimensions, the encoder has ${dimensions}. Train a head on this encoder, or take the bundle whose encoder it is for.`,
    );
  }
  if (head['encoder_fingerprint'] !== fingerprint) {
    throw new Error(
      `it was trained on the encoder ${String(head['encoder_fingerprint'])}, this bundle's is ${fingerprint}. Train a head on this encoder, or take the bundle whose encoder it is for.`,
    );
  }
  const { weight, bias } = head;
  const isWeight = Array.isArray(weight) && weight.length === 2;
  if (!isWeight || !weight.every((row) => isVector(row, 3 * dimensions))) {
    throw new Error(`"weight" must be 2 rows of ${3 * dimensions} finite numbers.`);
  }
  if (!isVector(bias, 2)) throw new Error('"bias" must be 2 finite numbers.');
  return { weight, bias, training: head['training'] ?? null };
}

/** Checks shapes; without at least one text and one pair nothing would be verified, so that is an error too. */
export function parseGolden(json: unknown, { dimensions }: Pick<Expected, 'dimensions'>): Golden {
  const { texts, pairs } = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(texts) || texts.length === 0) throw new Error('"texts" must be a list and not empty.');
  if (!Array.isArray(pairs) || pairs.length === 0) throw new Error('"pairs" must be a list and not empty.');
  for (const [index, entry] of (texts as Partial<GoldenText>[]).entries()) {
    const isKind = entry.kind === 'query' || entry.kind === 'document';
    if (typeof entry.text !== 'string' || !isKind || !isVector(entry.ids, null)) {
      throw new Error(`"texts[${index}]" must have "text", "kind" (query or document) and "ids".`);
    }
    if (!isVector(entry.vector, dimensions)) {
      throw new Error(`"texts[${index}].vector" must be ${dimensions} finite numbers.`);
    }
  }
  for (const [index, entry] of (pairs as Partial<GoldenPair>[]).entries()) {
    const isPair = typeof entry.query === 'string' && typeof entry.passage === 'string';
    if (!isPair || typeof entry.probability !== 'number') {
      throw new Error(`"pairs[${index}]" must have "query", "passage" and "probability".`);
    }
  }
  return { texts: texts as GoldenText[], pairs: pairs as GoldenPair[] };
}

function isVector(value: unknown, length: number | null): value is number[] {
  if (!Array.isArray(value) || (length !== null && value.length !== length)) return false;
  return value.every((number) => Number.isFinite(number));
}
