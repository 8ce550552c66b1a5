/** What the sidecar does to one document: settings of its index, text, vector, spliced source. */
import { isAbort, TwinrankError } from '../errors.js';
import type { Encoder } from '../model/encoder.js';
import type { SettingsReader, WriteSettings } from '../search-engine/index-settings.js';
import { JsonScanError } from '../search-engine/json-scan.js';
import type { IndexSettings } from '../search-engine/mapping-meta.js';
import { haveSameEncoder, otherModelError } from '../search-engine/other-model.js';
import { isOutage } from '../search-engine/settings-cache.js';
import { hasVector, textOfSource, withVector, type EncodedText } from './document-vector.js';

/** What can become of a document, in the order in which the outcome header lists them. */
export const VECTOR_OUTCOMES = [
  'vector',
  /** The document has no text in the configured fields. */
  'no_text',
  /** The client's own vector, where those are kept. */
  'kept',
  /** An update that leaves the text as it is, and so the vector. */
  'unchanged',
  /** An update by script: what it does to the text is not known. */
  'script',
  /** An update of a part of the text, of a document whose other part cannot be read: the vector is taken away. */
  'unread',
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

/** What becomes of a vector that a client sends in a document: another is put in its place, or it stays as it is. */
export type ClientVectors = 'replace' | 'keep';

export interface VectorizerDeps {
  readonly encoder: Encoder;
  readonly settings: SettingsReader;
  /** Told of what the client does not see. */
  readonly onProblem?: (outcome: VectorOutcome, error: TwinrankError) => void;
}

/** Rejects with the encoder's error where the policy is `reject`, and always when the signal has fired. */
export type Vectorize = (index: string, source: Buffer, signal: AbortSignal) => Promise<Vectorized>;

export function createVectorizer(
  deps: VectorizerDeps,
  policy: FailurePolicy,
  clientVectors: ClientVectors = 'replace',
): Vectorize {
  const steps = createVectorizerSteps(deps, policy, clientVectors);
  return (index, source, signal) =>
    steps.forIndex(index, source, (settings) => vectorizeDocument(steps, settings, source, signal));
}

/** What a document that is written whole becomes. */
export async function vectorizeDocument(
  steps: VectorizerSteps,
  settings: IndexSettings,
  source: Buffer,
  signal: AbortSignal,
): Promise<Vectorized> {
  if (steps.isKept(source, settings)) return { source, outcome: 'kept' };
  const text = textOfSource(source, settings);
  if (text === undefined) return { source: withVector(source, settings), outcome: 'no_text' };
  const encoded = await steps.encode(text, signal);
  return encoded === undefined
    ? { source, outcome: 'encode_failed' }
    : { source: withVector(source, settings, encoded), outcome: 'vector' };
}

/** The parts of writing a vector that are the same for whole documents and for updates. */
export interface VectorizerSteps {
  /**
   * Does the work with the settings of the index. Where there is none to do, or the source cannot be read, the
   * source stays as it is. Rejects where the engine is too unwell to tell the settings and the policy is `reject`:
   * it would be as unwell to write, or else to write what nobody would notice to lack a vector.
   */
  forIndex<Result extends Vectorized>(
    index: string,
    source: Buffer,
    work: (settings: WriteSettings) => Promise<Result>,
  ): Promise<Result | Vectorized>;
  /** True where the document holds a vector of the client's own that shall stay. */
  isKept(source: Buffer, settings: IndexSettings): boolean;
  /**
   * The text with its vector; undefined where it cannot be encoded and the policy is `pass`. Rejects with the
   * encoder's error where the policy is `reject`, and always when the signal has fired.
   */
  encode(text: string, signal: AbortSignal): Promise<EncodedText | undefined>;
}

/** The steps over an encoder and a reader of settings. */
export function createVectorizerSteps(
  deps: VectorizerDeps,
  policy: FailurePolicy,
  clientVectors: ClientVectors = 'replace',
): VectorizerSteps {
  const { encoder, settings, onProblem } = deps;
  return {
    async forIndex(index, source, work) {
      const read = await settings.forWrite(index).catch((error: unknown) => {
        if (!(error instanceof TwinrankError) || (policy === 'reject' && isOutage(error))) throw error;
        onProblem?.('settings_unavailable', error);
        return 'settings_unavailable' as const;
      });
      if (read === 'settings_unavailable') return { source, outcome: read };
      if (read === undefined) return { source, outcome: 'not_configured' };
      if (!haveSameEncoder(read, encoder)) {
        onProblem?.('other_model', otherModelError(index, read, encoder));
        return { source, outcome: 'other_model' };
      }
      try {
        return await work(read);
      } catch (error) {
        if (error instanceof JsonScanError) return { source, outcome: 'unreadable' };
        throw error;
      }
    },
    isKept: (source, index) => clientVectors === 'keep' && hasVector(source, index),
    async encode(text, signal) {
      try {
        const [vector] = await encoder.encode([text], { kind: 'document', signal });
        if (vector === undefined) throw new TwinrankError('encode_failed', 'The encoder gave no vector.');
        return { text, vector };
      } catch (error) {
        if (policy === 'reject' || signal.aborted || isAbort(error) || !(error instanceof TwinrankError))
          throw error;
        onProblem?.('encode_failed', error);
        return undefined;
      }
    },
  };
}
