/** The engine's `_bulk` reply with the items that we had to reject put back into their places. */
import { isArray, JsonScanError, memberNamed, scanArray, scanDocument } from '../search-engine/json-scan.js';
import { applyEdits, insertAt, replaceRange, type Edit } from '../search-engine/splice.js';
import type { RejectedItem } from './bulk-stream.js';

/** One item in the engine's own form. */
export function rejectedItemText({ action, error }: RejectedItem): string {
  return JSON.stringify({
    [action.name]: {
      _index: action.index,
      _id: action.id ?? null,
      status: error.status,
      error: { type: `twinrank_${error.code}_exception`, reason: error.message },
    },
  });
}

/** Reply of a request of which nothing could be sent. */
export function allRejectedReply(rejected: readonly RejectedItem[], tookMs: number): Buffer {
  const items = inOrder(rejected).map(rejectedItemText).join(',');
  return Buffer.from(`{"took":${Math.round(tookMs)},"errors":true,"items":[${items}]}`, 'utf8');
}

/**
 * Splices the rejected items in and sets `errors`. Where the caller filtered the reply, what is not there stays
 * away. Throws JsonScanError where this is no bulk reply.
 */
export function spliceRejected(reply: Buffer, rejected: readonly RejectedItem[]): Buffer {
  const { members } = scanDocument(reply);
  const edits: Edit[] = [];
  const errors = memberNamed(reply, members, 'errors');
  if (errors !== undefined) edits.push(replaceRange(errors, 'true'));
  const items = memberNamed(reply, members, 'items');
  if (items !== undefined) {
    if (!isArray(reply, items)) throw new JsonScanError('an array "items"', items.start);
    const { elements } = scanArray(reply, items.start);
    let before = 0;
    for (const item of inOrder(rejected)) {
      // `before` rejected items already stand in front: the engine's own place is that much further left.
      const place = item.position - before;
      const next = elements[place];
      if (next !== undefined) edits.push(insertAt(next.start, `${rejectedItemText(item)},`));
      else
        edits.push(
          insertAt(items.end - 1, (elements.length > 0 || before > 0 ? ',' : '') + rejectedItemText(item)),
        );
      before++;
    }
  }
  return applyEdits(reply, edits);
}

function inOrder(rejected: readonly RejectedItem[]): RejectedItem[] {
  return [...rejected].sort((a, b) => a.position - b.position);
}
