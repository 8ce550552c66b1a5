/** What the pool and its worker threads say to each other. Types only. */
import type { TextKind } from './encoder.js';

/** Everything a worker needs to load a model; plain data, handed over when the thread starts. */
export interface WorkerSetup {
  readonly paths: { readonly encoder: string; readonly tokenizer: string; readonly charMap: string | null };
  /** Threads that share one batch. */
  readonly threads: number;
  /** 0 to 19: how much the thread yields to others, see lowerThreadPriority. */
  readonly niceness: number;
  readonly dimensions: number;
  readonly maxTokens: number;
  readonly normalize: boolean;
  readonly prefixes: Readonly<Record<TextKind, string>>;
  readonly inputs: { readonly ids: string; readonly mask: string };
  readonly output: string;
  readonly padId: number;
  /** Encoded once before the worker reports ready: warms up, and the pool compares what comes out. */
  readonly probe: readonly KindedText[];
}

export interface KindedText {
  readonly text: string;
  readonly kind: TextKind;
}

/** A text to encode; with its token ids where they are known already. */
export interface BatchText extends KindedText {
  readonly ids?: TextIds;
}

/** Ids of a text, or null where the tokeniser failed on it: encoding it will say why. */
export type TextIds = readonly number[] | null;

export interface EncodedTexts {
  /** Row by row, texts x dimensions numbers. */
  readonly vectors: Float32Array;
  readonly ids: readonly (readonly number[])[];
  /** Count x longest: what the batch cost. */
  readonly paddedTokens: number;
}

export interface BatchRequest {
  readonly texts: readonly BatchText[];
  /** Texts of later batches, to be tokenised only: a batch is best chosen by lengths that are known. */
  readonly next: readonly KindedText[];
}

/** `end`: finish what is under way, then leave. */
export type WorkerRequest = BatchRequest | 'end';

export type WorkerReply =
  | { readonly type: 'ready'; readonly probe: EncodedTexts }
  /** The model cannot be used; the thread ends. */
  | { readonly type: 'unfit'; readonly message: string }
  | {
      readonly type: 'encoded';
      readonly vectors: Float32Array;
      readonly paddedTokens: number;
      readonly nextIds: readonly TextIds[];
    }
  | { readonly type: 'failed'; readonly message: string };
