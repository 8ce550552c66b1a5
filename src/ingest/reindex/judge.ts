/** What a reindex has to do with a document. */
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { vectorState, type Unfit } from '../vector-state.js';

/** Why a text is encoded; `all` where its vector is fresh and made anew all the same. */
export type EncodeReason = 'missing' | Unfit | 'all';

export type Judgement =
  | 'fresh'
  /** Has no text, and no vector, as it should be. */
  | 'no_text'
  | { readonly work: 'encode'; readonly text: string; readonly why: EncodeReason }
  /** Has a vector but no text. */
  | { readonly work: 'remove' };

/**
 * Judges a document by its source bytes. Throws JsonScanError where they are no JSON object.
 * @param all fresh vectors are made anew too
 */
export function judge(source: Buffer, settings: IndexSettings, all = false): Judgement {
  const { text, vector } = vectorState(source, settings);
  if (text === undefined) return vector === 'missing' ? 'no_text' : { work: 'remove' };
  if (vector === 'fresh') return all ? { work: 'encode', text, why: 'all' } : 'fresh';
  return { work: 'encode', text, why: vector };
}
