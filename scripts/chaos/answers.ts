/** What an answer says about a write: done, surely not done, or neither. */
import type { Action } from './ledger.js';

/** `not done`: may be sent again whatever it is. `unclear`: only where a second time changes nothing. */
export type Meaning = 'done' | 'not done' | 'unclear' | 'refused';

/** The answer to one item, be it of a bulk body or alone. */
export interface ItemAnswer {
  readonly action: string;
  readonly id: string | undefined;
  readonly status: number;
  readonly error: string | undefined;
}

/**
 * @param unclear whether the same operation may have been carried out before: an attempt was lost, or the engine
 *   lost a node meanwhile and repeated the work inside the cluster
 */
export function meaningOf(action: Action, status: number, unclear: boolean): Meaning {
  if (status === 200 || status === 201) return 'done';
  if (status === 429) return 'not done';
  if (status >= 500) return 'unclear';
  if (unclear) {
    if (action === 'create' && status === 409) return 'done';
    if (action === 'delete' && status === 404) return 'done';
    // The engine made up the id, wrote, lost the node, wrote again and met its own document.
    if (action === 'index' && status === 409) return 'unclear';
    // An update reads before it writes, and met its own forerunner in between.
    if (action === 'update' && status === 409) return 'not done';
  }
  return 'refused';
}

/** Items of a bulk reply in their order; undefined where it is none. */
export function bulkItems(text: string): readonly ItemAnswer[] | undefined {
  const items = (parse(text) as { items?: unknown } | undefined)?.items;
  if (!Array.isArray(items)) return undefined;
  return items.map((item: Record<string, EngineItem>) => {
    const [action = '', answer = {}] = Object.entries(item)[0] ?? [];
    return itemOf(action, answer.status ?? 0, answer);
  });
}

/** The reply to a single write. */
export function singleItem(action: Action, status: number, text: string): ItemAnswer {
  return itemOf(action, status, (parse(text) as EngineItem | undefined) ?? {});
}

/** An error answer in a line. */
export function errorText(status: number, text: string): string {
  return `${status} ${itemOf('', status, (parse(text) as EngineItem | undefined) ?? {}).error ?? text.slice(0, 200)}`;
}

interface EngineItem {
  readonly _id?: string | null;
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string } | string;
}

function itemOf(action: string, status: number, { _id, error }: EngineItem): ItemAnswer {
  const text =
    error === undefined || typeof error === 'string'
      ? error
      : `${error.type}: ${(error.reason ?? '').slice(0, 200)}`;
  return { action, id: _id ?? undefined, status, error: text };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
