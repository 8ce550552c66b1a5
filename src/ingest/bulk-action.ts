/** The action line of a bulk item. */
import { memberWithValue, rawIn, textIn } from '../search-engine/json-members.js';
import {
  JsonScanError,
  scanObject,
  skipString,
  skipWhitespace,
  stringAt,
  type Member,
} from '../search-engine/json-scan.js';

const OPEN_BRACE = 0x7b;
const COLON = 0x3a;

export type ActionName = 'index' | 'create' | 'update' | 'delete';

export interface BulkAction {
  readonly name: ActionName;
  /** Undefined where neither the line nor the path names one: the engine will say so. */
  readonly index: string | undefined;
  readonly id: string | undefined;
  readonly routing: string | undefined;
}

/** What counts where an action line does not say it: what the request's path and query string do. */
export interface ActionDefaults {
  readonly index: string | undefined;
  readonly routing: string | undefined;
}

/** True where a source line follows. */
export function hasSource(action: BulkAction): boolean {
  return action.name !== 'delete';
}

/**
 * Reads an action line; undefined where it is none, which fails the whole request in the engine. What stands behind
 * the action's own object is not looked at: the engines do not either.
 */
export function parseAction(line: Buffer, defaults: ActionDefaults): BulkAction | undefined {
  try {
    const open = skipWhitespace(line, 0);
    if (line[open] !== OPEN_BRACE) return undefined;
    const keyStart = skipWhitespace(line, open + 1);
    const keyEnd = skipString(line, keyStart);
    const name = stringAt(line, keyStart, keyEnd);
    if (name !== 'index' && name !== 'create' && name !== 'update' && name !== 'delete') return undefined;
    const colon = skipWhitespace(line, keyEnd);
    if (line[colon] !== COLON) return undefined;
    const { members } = scanObject(line, skipWhitespace(line, colon + 1));
    return {
      name,
      index: text(line, members, '_index') ?? defaults.index,
      id: text(line, members, '_id'),
      routing: text(line, members, 'routing') ?? text(line, members, '_routing') ?? defaults.routing,
    };
  } catch (error) {
    if (error instanceof JsonScanError) return undefined;
    throw error;
  }
}

function text(line: Buffer, members: readonly Member[], name: string): string | undefined {
  // An id may be a number.
  return memberWithValue(line, members, name) === undefined
    ? undefined
    : (textIn(line, members, name) ?? rawIn(line, members, name));
}
