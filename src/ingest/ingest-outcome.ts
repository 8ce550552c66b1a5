/** The `x-twinrank` header of the sidecar: what became of the documents of a write. */
import { OUR_HEADER } from '../http/header-rules.js';
import type { Exchange } from '../http/pass-through.js';
import { VECTOR_OUTCOMES, type VectorOutcome } from './vectorizer.js';

/** `ingested; vector=4998; no_text=2` */
export function ingestedHeader(
  outcomes: Readonly<Partial<Record<VectorOutcome, number>>>,
  rejected: number,
): string[] {
  const seen = VECTOR_OUTCOMES.filter((name) => outcomes[name] !== undefined);
  const parts = seen.map((name) => `${name}=${outcomes[name]}`);
  return [OUR_HEADER, ['ingested', ...parts, ...(rejected > 0 ? [`rejected=${rejected}`] : [])].join('; ')];
}

/** Why a write goes on without a vector, as it came. */
export type IngestSkip = 'bulk_stream' | 'content_encoding' | 'format' | 'body_too_large';

/** Records the reason; the header is `skipped; reason=format`. */
export function skipped({ record }: Exchange, reason: IngestSkip): string[] {
  record.outcome = 'skipped';
  record.reason = reason;
  return [OUR_HEADER, `skipped; reason=${reason}`];
}
