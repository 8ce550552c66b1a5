/**
 * What the sidecar does to an update. The text that a document will have is known only together with the stored
 * document, so that is read, under the caller's own rights, where the update bears on a text.
 */
import type { Range } from '../../search-engine/json-scan.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import {
  noVectorMembers,
  textOfSource,
  vectorFields,
  vectorMembers,
  withMembers,
} from '../document-vector.js';
import {
  createVectorizerSteps,
  vectorizeDocument,
  type ClientVectors,
  type FailurePolicy,
  type Vectorized,
  type VectorizerDeps,
  type VectorizerSteps,
  type VectorOutcome,
} from '../vectorizer.js';
import { mergeMembers } from './merge-documents.js';
import { vectorState } from './stored-vector.js';
import { readUpdateBody, touchOf, withDocuments, type Touch } from './update-body.js';

/** The document that an update is about. */
export interface UpdateTarget {
  /** Index or alias, decoded. */
  readonly index: string;
  readonly id: string;
  readonly routing: string | undefined;
}

/** A document as it is stored now. */
export type CurrentDocument =
  | {
      readonly state: 'found';
      /** Its source, or the part of it that was asked for. */
      readonly source: Buffer;
      readonly version: number;
      readonly seqNo: number;
      readonly primaryTerm: number;
    }
  | { readonly state: 'missing' }
  /** It may be there: the engine did not show it. */
  | { readonly state: 'unread'; readonly reason: string };

/** Reads the named fields of a document. Rejects only where the signal of its request has fired. */
export type ReadCurrent = (target: UpdateTarget, fields: readonly string[]) => Promise<CurrentDocument>;

export interface VectorizedUpdate extends Vectorized {
  /**
   * What the vector, new or kept, was reckoned from: the version of the document that was read, 0 where there was
   * none. Undefined where nothing was read. Where the engine's answer is of another version than the next one,
   * another writer came between, and the vector may be of a text that never was.
   */
  readonly from?: number | undefined;
}

/** Rejects as {@link VectorizerSteps.encode} does. */
export type VectorizeUpdate = (
  target: UpdateTarget,
  body: Buffer,
  readCurrent: ReadCurrent,
  signal: AbortSignal,
) => Promise<VectorizedUpdate>;

/** Fields that must be read of a stored document. */
export function fieldsToRead(settings: IndexSettings): readonly string[] {
  return [...settings.textFields, ...vectorFields(settings)];
}

/** The work on updates, with the same policy as on whole documents. */
export function createUpdateVectorizer(
  deps: VectorizerDeps,
  policy: FailurePolicy,
  clientVectors: ClientVectors = 'replace',
): VectorizeUpdate {
  const steps = createVectorizerSteps(deps, policy, clientVectors);
  return (target, body, readCurrent, signal) =>
    steps.forIndex<VectorizedUpdate>(target.index, body, async (settings) => {
      const { doc, upsert, hasScript, docAsUpsert } = readUpdateBody(body);
      const [whole, part] = await bothOf(
        upsert && vectorizeDocument(steps, settings, slice(body, upsert), signal),
        doc &&
          vectorizePart({ steps, settings, signal }, slice(body, doc), docAsUpsert, () =>
            readCurrent({ ...target, index: settings.writeIndex ?? target.index }, fieldsToRead(settings)),
          ),
      );
      return {
        source: withDocuments(body, [
          ...(upsert && whole ? [[upsert, whole.source] as const] : []),
          ...(doc && part ? [[doc, part.source] as const] : []),
        ]),
        outcome: part?.outcome ?? whole?.outcome ?? (hasScript ? 'script' : 'unchanged'),
        from: part?.from,
      };
    });
}

function slice(bytes: Buffer, { start, end }: Range): Buffer {
  return bytes.subarray(start, end);
}

/** Waits for both, so that neither fails with nobody to hear it. */
async function bothOf<A, B>(a: A | Promise<A>, b: B | Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** What the work on a document needs. */
export interface UpdateWork {
  readonly steps: VectorizerSteps;
  readonly settings: IndexSettings;
  readonly signal: AbortSignal;
}

/** A partial document as it goes on. */
export interface VectorizedPart {
  readonly source: Buffer;
  /** Undefined where the partial document has no say in the text. */
  readonly outcome?: VectorOutcome;
  readonly from?: number;
}

async function vectorizePart(
  work: UpdateWork,
  doc: Buffer,
  docAsUpsert: boolean,
  read: () => Promise<CurrentDocument>,
): Promise<VectorizedPart> {
  const { steps, settings, signal } = work;
  if (steps.isKept(doc, settings)) return { source: doc, outcome: 'kept' };
  const touch = touchOf(doc, settings.textFields);
  if (touch === 'no') return { source: withMembers(doc, settings, '') };
  const current = await read();
  if (current.state === 'unread') return unreadPart(work, doc, touch);
  if (current.state === 'found')
    return { ...(await mergedPart(work, doc, current.source)), from: current.version };
  // The doc becomes the document, or there will be none.
  return docAsUpsert
    ? { ...(await vectorizeDocument(steps, settings, doc, signal)), from: 0 }
    : { source: withMembers(doc, settings, ''), from: 0 };
}

/** The partial document for a stored one, of which the text fields and ours are known. */
export async function mergedPart(work: UpdateWork, doc: Buffer, stored: Buffer): Promise<VectorizedPart> {
  const { settings } = work;
  const plain = withMembers(doc, settings, '');
  const future = mergeMembers(stored, plain, fieldsToRead(settings));
  const state = vectorState(future, settings);
  // The engine says `noop` only where nothing is added to what is there.
  if (state === 'fresh') return { source: plain, outcome: 'unchanged' };
  if (state === 'no_text') return { source: plain, outcome: 'no_text' };
  return encodedPart(work, doc, textOfSource(future, settings));
}

/** The stored document is not shown to the caller: what the doc does not say, nobody knows. */
async function unreadPart(work: UpdateWork, doc: Buffer, touch: Touch): Promise<VectorizedPart> {
  const { settings } = work;
  if (touch === 'around') return { source: withMembers(doc, settings, ''), outcome: 'unchanged' };
  if (touch !== 'all')
    return { source: withMembers(doc, settings, noVectorMembers(settings)), outcome: 'unread' };
  return encodedPart(work, doc, textOfSource(doc, settings));
}

/** The doc with the vector of this text; without a text or an encoder that can do it, the vector is taken away. */
async function encodedPart(work: UpdateWork, doc: Buffer, text: string | undefined): Promise<VectorizedPart> {
  const { settings } = work;
  const encoded = text === undefined ? undefined : await work.steps.encode(text, work.signal);
  if (encoded !== undefined)
    return { source: withMembers(doc, settings, vectorMembers(settings, encoded)), outcome: 'vector' };
  const outcome = text === undefined ? 'no_text' : 'encode_failed';
  return { source: withMembers(doc, settings, noVectorMembers(settings)), outcome };
}
