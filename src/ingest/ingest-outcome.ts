/** The `x-twinrank` header of the sidecar: what became of the documents of a write. */
import { OUR_HEADER } from '../http/header-rules.js';
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

/** `skipped; reason=format` */
export function skippedHeader(reason: string): string[] {
  return [OUR_HEADER, `skipped; reason=${reason}`];
}
