/** The tokens that stand for no text, and which of them fills the shorter texts of a batch. Pure. */

export interface SpecialToken {
  readonly id: number;
  readonly content: string;
}

/** The special tokens that a tokenizer.json adds to its vocabulary. */
export function specialTokens(json: unknown): SpecialToken[] {
  const { added_tokens: added } = (json ?? {}) as Readonly<Record<string, unknown>>;
  const tokens = Array.isArray(added) ? (added as (SpecialToken & { special?: boolean })[]) : [];
  return tokens.filter(({ special }) => special === true).map(({ id, content }) => ({ id, content }));
}

/**
 * Throws a plain Error where the tokenizer has no token to pad with under that id: a wrong one may lie outside the
 * encoder's word table, or hide that ids and encoder do not belong together.
 */
export function requirePadToken(json: unknown, padId: number): void {
  const { model } = (json ?? {}) as Readonly<Record<string, unknown>>;
  const special = specialTokens(json);
  if (special.some(({ id }) => id === padId)) return;
  const piece = pieceAt((model as { vocab?: unknown } | undefined)?.vocab, padId);
  // Tokenisers made from a bare vocabulary name no special tokens.
  if (piece !== undefined && /pad/i.test(piece)) return;
  const found = piece === undefined ? 'there is no such piece' : `that is the piece ${JSON.stringify(piece)}`;
  const known = special.map(({ id, content }) => `${content} ${id}`).join(', ') || 'none';
  throw new Error(
    `it has no token to pad with: "pad_id" in manifest.json is ${padId}, but ${found}. Special tokens: ${known}. ` +
      'Set "pad_id" to the id of the pad token; a tokenizer without one needs one added before the export.',
  );
}

/** A piece by its id: of a list with scores (Unigram), or of an object from piece to id (WordPiece, BPE). */
function pieceAt(vocabulary: unknown, id: number): string | undefined {
  if (Array.isArray(vocabulary)) {
    const entry = vocabulary[id] as unknown[] | undefined;
    return entry === undefined ? undefined : String(entry[0]);
  }
  const found = Object.entries((vocabulary ?? {}) as object).find(([, value]) => value === id);
  return found?.[0];
}
