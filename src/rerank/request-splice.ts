/** Puts our wishes into the caller's search body; all other bytes stay as they are. */
import {
  isArray,
  JsonScanError,
  memberNamed,
  scanArray,
  scanDocument,
  stringAt,
} from '../search-engine/json-scan.js';
import { applyEdits, insertAt, replaceRange, type Edit } from '../search-engine/splice.js';

export interface EngineWishes {
  readonly size: number;
  /** Fields to be returned as doc values beside the caller's own. */
  readonly docvalueFields: readonly string[];
  /** Fields to be returned as the mapping reads them from `_source`, likewise. */
  readonly fields: readonly string[];
}

/**
 * The body for the engine: `from` 0, our `size`, our fields. Undefined where a top-level key is repeated or
 * a part has a form that we do not know: the engine shall judge such a body as it came.
 */
export function bodyForEngine(body: Buffer, wishes: EngineWishes): Buffer | undefined {
  if (body.length === 0) body = Buffer.from('{}');
  try {
    const { open, members } = scanDocument(body);
    const names = new Set(members.map((member) => stringAt(body, member.keyStart, member.keyEnd)));
    if (names.size !== members.length) return undefined;
    const edits: Edit[] = [];
    const added: string[] = [];
    const set = (name: string, value: string): void => {
      const member = memberNamed(body, members, name);
      if (member === undefined) added.push(`${JSON.stringify(name)}:${value}`);
      else edits.push(replaceRange(member, value));
    };
    set('size', String(wishes.size));
    if (memberNamed(body, members, 'from') !== undefined) set('from', '0');
    for (const [name, fields] of [
      ['docvalue_fields', wishes.docvalueFields],
      ['fields', wishes.fields],
    ] as const) {
      if (fields.length === 0) continue;
      const ours = fields.map((field) => JSON.stringify({ field })).join(',');
      const theirs = memberNamed(body, members, name);
      if (theirs === undefined) added.push(`"${name}":[${ours}]`);
      else if (isArray(body, theirs)) {
        const { elements } = scanArray(body, theirs.start);
        edits.push(insertAt(theirs.start + 1, elements.length > 0 ? `${ours},` : ours));
      } else return undefined;
    }
    if (added.length > 0) edits.push(insertAt(open + 1, added.join(',') + (members.length > 0 ? ',' : '')));
    return applyEdits(body, edits);
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}
