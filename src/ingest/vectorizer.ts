/** What the sidecar does to one document: settings of its index, text, vector, spliced source. */
import { isAbort, TwinrankError } from '../errors.js';
import type { Encoder } from '../model/encoder.js';
import type { SettingsReader } from '../search-engine/index-settings.js';
import { JsonScanError } from '../search-engine/json-scan.js';
import { textOfSource, withVector } from './document-vector.js';

/** What can become of a document, in the order in which the outcome header lists them. */
export const VECTOR_OUTCOMES = [
  'vector',
  /** The document has no text in the configured fields. */
  'no_text',
  /** Its index is not set up for twinrank. */
  'not_configured',
  /** The index was set up for another model than the one that is loaded. */
  'other_model',
  'settings_unavailable',
  /** The source is no JSON object: the engine will say so. */
  'unreadable',
  /** Encoding failed and the policy is to write without a vector. */
  'encode_failed',
] as const;

export type VectorOutcome = (typeof VECTOR_OUTCOMES)[number];

export interface Vectorized {
  readonly source: Buffer;
  readonly outcome: VectorOutcome;
}

export type FailurePolicy = 'reject' | 'pass';

export interface VectorizerDeps {
  readonly encoder: Encoder;
  readonly settings: SettingsReader;
  /** Told of what the client does not see. */
  readonly onProblem?: (outcome: VectorOutcome, error: TwinrankError) => void;
}

/** Rejects with the encoder's error where the policy is `reject`, and always when the signal has fired. */
export type Vectorize = (index: string, source: Buffer, signal: AbortSignal) => Promise<Vectorized>;

export function createVectorizer(deps: VectorizerDeps, policy: FailurePolicy): Vectorize {
  const { encoder, settings, onProblem } = deps;
  return async (index, source, signal) => {
    const read = await settings.forWrite(index).catch((error: unknown) => {
      if (!(error instanceof TwinrankError)) throw error;
      onProblem?.('settings_unavailable', error);
      return 'settings_unavailable' as const;
    });
    if (read === 'settings_unavailable') return { source, outcome: read };
    if (read === undefined) return { source, outcome: 'not_configured' };
    if (read.fingerprint !== encoder.fingerprint || read.dimensions !== encoder.dimensions) {
      onProblem?.(
        'other_model',
        new TwinrankError(
          'bad_config',
          `"${index}" is set up for model ${read.model} (${read.fingerprint}), this service runs ${encoder.fingerprint}. Start it with that model, or run "twinrank mapping apply" and reindex.`,
        ),
      );
      return { source, outcome: 'other_model' };
    }
    try {
      const text = textOfSource(source, read);
      if (text === undefined) return { source: withVector(source, read), outcome: 'no_text' };
      const [vector] = await encoder.encode([text], { kind: 'document', signal });
      if (vector === undefined) throw new TwinrankError('encode_failed', 'The encoder gave no vector.');
      return { source: withVector(source, read, { text, vector }), outcome: 'vector' };
    } catch (error) {
      if (error instanceof JsonScanError) return { source, outcome: 'unreadable' };
      if (policy === 'reject' || signal.aborted || isAbort(error) || !(error instanceof TwinrankError))
        throw error;
      onProblem?.('encode_failed', error);
      return { source, outcome: 'encode_failed' };
    }
  };
}
