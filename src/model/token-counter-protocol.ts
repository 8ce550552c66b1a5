/** What the token counter and its thread say to each other. Types only. */
import type { TextKind } from './encoder.js';
import type { TokenizerFiles } from './tokenizer-files.js';

export interface CounterSetup {
  readonly paths: TokenizerFiles;
  /** Counting stops here. */
  readonly maxTokens: number;
  readonly prefixes: Readonly<Record<TextKind, string>>;
}

export interface CountRequest {
  readonly id: number;
  readonly texts: readonly string[];
  readonly kind: TextKind;
}

export type CountReply =
  | { readonly id: number; readonly counts: readonly number[] }
  | { readonly id: number; readonly message: string };
