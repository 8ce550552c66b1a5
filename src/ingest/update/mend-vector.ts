/**
 * Between the read of a document and the engine's update another writer may have changed another part of its text.
 * The vector is then of a text that never was. Whoever wrote last sees it by the version in the engine's answer,
 * and mends it before the caller gets that answer.
 */
import { TwinrankError } from '../../errors.js';
import type { Exchange } from '../../http/pass-through.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { numberIn, textIn } from '../../search-engine/json-members.js';
import { JsonScanError, scanDocument } from '../../search-engine/json-scan.js';
import { createVectorizerSteps, type VectorizerDeps } from '../vectorizer.js';
import { postAsCaller } from './ask-as-caller.js';
import { fieldsToRead, mergedPart, type ReadCurrent, type UpdateTarget } from './vectorize-update.js';

/** What the engine says of an update that it has carried out. */
export interface UpdateAnswer {
  readonly result: string | undefined;
  /** NaN where it is not said. */
  readonly version: number;
}

/** True where the update was carried out on another document than the one that was read, or where that cannot be told. */
export function cameBetween(from: number, { result, version }: UpdateAnswer): boolean {
  if (result === 'noop') return false;
  return result === 'created' ? from !== 0 : from === 0 || version !== from + 1;
}

/** What an update's answer, or one bulk item's result, says of it; nothing where it is no JSON or leaves that out. */
export function readUpdateAnswer(answer: Buffer): UpdateAnswer {
  try {
    const { members } = scanDocument(answer);
    return { result: textIn(answer, members, 'result'), version: numberIn(answer, members, '_version') };
  } catch (error) {
    if (error instanceof JsonScanError) return { result: undefined, version: Number.NaN };
    throw error;
  }
}

export interface MendOptions {
  /** The caller's `refresh` parameter as it was sent: the mended vector shall be seen when the update is. */
  readonly refresh: string | undefined;
}

/**
 * Makes a document's vector that of its text, if it is not. Does nothing where the document is gone or not shown,
 * and gives up where others keep writing it: the text's hash tells. Rejects only where the signal has fired.
 */
export type MendVector = (
  exchange: Exchange,
  target: UpdateTarget,
  readCurrent: ReadCurrent,
  options: MendOptions,
) => Promise<void>;

const MAX_TRIES = 3;
const MAX_ANSWER_BYTES = 1024 * 1024;
const NOTHING = Buffer.from('{}');

/** The mender; a text that cannot be encoded now loses its vector. */
export function createVectorMender(deps: VectorizerDeps): MendVector {
  const steps = createVectorizerSteps(deps, 'pass');
  return async (exchange, target, readCurrent, options) => {
    await steps.forIndex(target.index, NOTHING, async (settings) => {
      const stored = { ...target, index: settings.writeIndex ?? target.index };
      for (let i = 0; i < MAX_TRIES; i++) {
        const current = await readCurrent(stored, fieldsToRead(settings));
        if (current.state !== 'found') break;
        const part = await mergedPart({ steps, settings, signal: exchange.signal }, NOTHING, current.source);
        if (part.source.equals(NOTHING)) break;
        const status = await writePart(exchange, target, part.source, {
          if_seq_no: String(current.seqNo),
          if_primary_term: String(current.primaryTerm),
          ...(target.routing === undefined ? {} : { routing: target.routing }),
          ...(options.refresh === undefined ? {} : { refresh: options.refresh }),
        });
        if (status !== 409) break;
      }
      return { source: NOTHING, outcome: 'vector' };
    });
  };
}

/** Status of a partial update under the caller's rights; 0 where there was no answer. */
async function writePart(
  exchange: Exchange,
  { index, id }: UpdateTarget,
  doc: Buffer,
  parameters: Readonly<Record<string, string>>,
): Promise<number> {
  const query = new URLSearchParams(parameters).toString();
  const path = `/${encodeExpression(index)}/_update/${encodeURIComponent(id)}?${query}`;
  const body = Buffer.concat([Buffer.from('{"doc":'), doc, Buffer.from('}')]);
  try {
    return (await postAsCaller(exchange, exchange.connection, path, body, MAX_ANSWER_BYTES)).status;
  } catch (error) {
    if (exchange.signal.aborted || !(error instanceof TwinrankError)) throw error;
    return 0;
  }
}
