/**
 * What the engine makes of a stored document and the `doc` of a partial update, as far as some fields go: objects
 * are merged member by member, everything else is replaced, and keys are compared as they are written ("a.b" is
 * not "a" with "b" in it).
 */
import {
  isObject,
  memberNamed,
  scanObject,
  skipWhitespace,
  type Member,
} from '../../search-engine/json-scan.js';

/**
 * The merged document with nothing in it but the members that can hold one of the fields: what it has there is what
 * the stored document will have. Depth is that of the fields' paths, whatever the documents hold. Throws JsonScanError
 * where one of the two is no JSON object.
 */
export function mergeMembers(stored: Buffer, doc: Buffer, fields: readonly string[]): Buffer {
  return Buffer.concat(merged({ bytes: stored, at: 0 }, { bytes: doc, at: 0 }, fields));
}

/** An object in a buffer; whitespace may stand before it. */
interface ObjectAt {
  readonly bytes: Buffer;
  readonly at: number;
}

function merged(stored: ObjectAt, doc: ObjectAt, fields: readonly string[]): Buffer[] {
  const old = scanObject(stored.bytes, skipWhitespace(stored.bytes, stored.at)).members;
  const changes = scanObject(doc.bytes, skipWhitespace(doc.bytes, doc.at)).members;
  const pieces: Buffer[] = [];
  for (const [name, rests] of pathsByKey(fields)) {
    const before = memberNamed(stored.bytes, old, name);
    const change = memberNamed(doc.bytes, changes, name);
    const value =
      change === undefined
        ? before && [stored.bytes.subarray(before.start, before.end)]
        : rests.length > 0 && isObject(doc.bytes, change) && before && isObject(stored.bytes, before)
          ? merged(objectOf(stored, before), objectOf(doc, change), rests)
          : [doc.bytes.subarray(change.start, change.end)];
    if (value !== undefined)
      pieces.push(Buffer.from(`${pieces.length === 0 ? '{' : ','}${JSON.stringify(name)}:`), ...value);
  }
  return pieces.length === 0 ? [Buffer.from('{}')] : [...pieces, Buffer.from('}')];
}

function objectOf({ bytes }: ObjectAt, member: Member): ObjectAt {
  return { bytes, at: member.start };
}

/**
 * Keys under which an object can hold one of the fields, each with the paths that go on inside of it: "a.b" is
 * under the key "a.b", and under "a" as "b".
 */
export function pathsByKey(fields: readonly string[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  const under = (key: string): string[] => {
    const known = paths.get(key) ?? [];
    paths.set(key, known);
    return known;
  };
  for (const field of fields) {
    under(field);
    for (let dot = field.indexOf('.'); dot !== -1; dot = field.indexOf('.', dot + 1))
      under(field.slice(0, dot)).push(field.slice(dot + 1));
  }
  return paths;
}
