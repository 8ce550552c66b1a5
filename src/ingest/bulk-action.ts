/** The action line of a bulk item. */
import {
  isObject,
  isString,
  JsonScanError,
  memberNamed,
  scanDocument,
  scanObject,
  stringAt,
  type Member,
} from '../search-engine/json-scan.js';

export type ActionName = 'index' | 'create' | 'update' | 'delete';

export interface BulkAction {
  readonly name: ActionName;
  /** Undefined where neither the line nor the path names one: the engine will say so. */
  readonly index: string | undefined;
  readonly id: string | undefined;
}

/** True where a source line follows. */
export function hasSource(action: BulkAction): boolean {
  return action.name !== 'delete';
}

/** Reads an action line; undefined where it is none, which fails the whole request in the engine. */
export function parseAction(line: Buffer, defaultIndex: string | undefined): BulkAction | undefined {
  try {
    const { members } = scanDocument(line);
    const [action] = members;
    if (action === undefined || members.length !== 1 || !isObject(line, action)) return undefined;
    const name = stringAt(line, action.keyStart, action.keyEnd);
    if (name !== 'index' && name !== 'create' && name !== 'update' && name !== 'delete') return undefined;
    const metadata = scanObject(line, action.start).members;
    return { name, index: text(line, metadata, '_index') ?? defaultIndex, id: text(line, metadata, '_id') };
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}

function text(line: Buffer, members: readonly Member[], name: string): string | undefined {
  const member = memberNamed(line, members, name);
  if (member === undefined) return undefined;
  if (isString(line, member)) return stringAt(line, member.start, member.end);
  const value = line.toString('utf8', member.start, member.end);
  return value === 'null' ? undefined : value;
}
