/**
 * The classifier head: softmax(W [u; v; |u-v|] + b) over the classes "different" (0) and "similar" (1), with u
 * the query and v the passage (SentenceTransformer's SoftmaxLoss, Reimers and Gurevych 2019, section 3).
 *
 * With two classes the softmax is a sigmoid of the difference of the two rows, and for one query the part of u
 * is constant. What varies from passage to passage is only w_d . |u-v| + w_v . v, so a thousand passages cost
 * about a thousand dot products.
 */
import { TwinrankError } from '../errors.js';

/** Scores passages against one query. */
export interface PassageScorer {
  /** log(p / (1 - p)) of "similar" for a passage vector of the head's dimensions. */
  logOdds(passage: Float32Array): number;
  /** The three sums that make up the log-odds, for people who ask why. */
  parts(passage: Float32Array): HeadParts;
}

/** Log-odds = query + passage + distance. */
export interface HeadParts {
  /** Bias and w_u . u: the same for every passage of a query. */
  readonly query: number;
  /** w_v . v */
  readonly passage: number;
  /** w_d . |u - v| */
  readonly distance: number;
}

export interface Head {
  readonly dimensions: number;
  /** Prepares one query; the returned scorer may be used for any number of passages. */
  scorer(query: Float32Array): PassageScorer;
}

/** Probability of class 1 from its log-odds; exact at both ends, never NaN for a number. */
export function probability(logOdds: number): number {
  if (logOdds >= 0) return 1 / (1 + Math.exp(-logOdds));
  const odds = Math.exp(logOdds);
  return odds / (1 + odds);
}

/**
 * A head from its weight rows (class 0, class 1), each `[u; v; |u-v|]` of 3 x dimensions numbers, and its two
 * biases. Throws `bad_bundle` where the shapes do not fit.
 */
export function createHead(
  weight: readonly (readonly number[])[],
  bias: readonly number[],
  dimensions: number,
): Head {
  const [row0, row1] = weight;
  const [bias0, bias1] = bias;
  const fits = row0?.length === 3 * dimensions && row1?.length === 3 * dimensions && weight.length === 2;
  if (!fits || bias0 === undefined || bias1 === undefined) {
    const shape = weight.map((row) => row.length).join(', ');
    throw new TwinrankError(
      'bad_bundle',
      `The head must have 2 rows of ${3 * dimensions} weights and 2 biases; it has rows of [${shape}] and ${bias.length} biases.`,
    );
  }
  const difference = Float64Array.from(row1, (value, i) => value - (row0[i] as number));
  const part = (index: number) => difference.subarray(index * dimensions, (index + 1) * dimensions);
  return new CollapsedHead(dimensions, part(0), part(1), part(2), bias1 - bias0);
}

class CollapsedHead implements Head {
  readonly dimensions: number;
  readonly #ofQuery: Float64Array;
  readonly #ofPassage: Float64Array;
  readonly #ofDistance: Float64Array;
  readonly #bias: number;
  /** w_v is nought, as in a head that is a distance alone: half of the work falls away. */
  readonly #ignoresPassage: boolean;

  constructor(
    dimensions: number,
    ofQuery: Float64Array,
    ofPassage: Float64Array,
    ofDistance: Float64Array,
    bias: number,
  ) {
    this.dimensions = dimensions;
    this.#ofQuery = ofQuery;
    this.#ofPassage = ofPassage;
    this.#ofDistance = ofDistance;
    this.#bias = bias;
    this.#ignoresPassage = ofPassage.every((weight) => weight === 0);
  }

  scorer(query: Float32Array): PassageScorer {
    this.#requireDimensions(query, 'query');
    let constant = this.#bias;
    for (let i = 0; i < this.dimensions; i++) {
      constant += (this.#ofQuery[i] as number) * (query[i] as number);
    }
    return {
      logOdds: (passage) => constant + this.#varying(query, passage),
      parts: (passage) => this.#parts(constant, query, passage),
    };
  }

  #varying(query: Float32Array, passage: Float32Array): number {
    this.#requireDimensions(passage, 'passage');
    const ofPassage = this.#ofPassage;
    const ofDistance = this.#ofDistance;
    let sum = 0;
    for (let i = 0; i < passage.length; i++) {
      sum += (ofDistance[i] as number) * Math.abs((query[i] as number) - (passage[i] as number));
    }
    if (this.#ignoresPassage) return sum;
    for (let i = 0; i < passage.length; i++) sum += (ofPassage[i] as number) * (passage[i] as number);
    return sum;
  }

  #parts(constant: number, query: Float32Array, passage: Float32Array): HeadParts {
    this.#requireDimensions(passage, 'passage');
    let ofPassage = 0;
    let ofDistance = 0;
    for (let i = 0; i < passage.length; i++) {
      const v = passage[i] as number;
      ofPassage += (this.#ofPassage[i] as number) * v;
      ofDistance += (this.#ofDistance[i] as number) * Math.abs((query[i] as number) - v);
    }
    return { query: constant, passage: ofPassage, distance: ofDistance };
  }

  #requireDimensions(vector: Float32Array, what: string): void {
    if (vector.length === this.dimensions) return;
    throw new TwinrankError(
      'internal',
      `The ${what} vector has ${vector.length} dimensions, the head ${this.dimensions}. This is a bug.`,
    );
  }
}
