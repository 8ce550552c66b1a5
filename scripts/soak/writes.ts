/** Writes of all kinds to an index that changes, each noted, so that it can be judged in the end. */
import type { Random } from '../../src/evaluate/random.js';
import { changeOf } from '../chaos/crowd.js';
import { wholeSource } from '../chaos/documents.js';
import { operation, type Operation, type TrackedDocument } from '../chaos/ledger.js';
import type { Item, Writer } from '../chaos/writer.js';

const SHARE_OF_SINGLES = 0.5;
const SHARE_OF_OLD = 0.4;
const BULK_ITEMS = 12;
/** Documents that may be changed; older ones stay as they are. */
const REMEMBERED = 500;

/** A function that writes some documents, new and old, and all that it has written. */
export function createWrites(
  writer: Writer,
  titles: readonly string[],
  random: Random,
): { readonly write: () => Promise<undefined>; readonly documents: readonly TrackedDocument[] } {
  const documents: TrackedDocument[] = [];
  const old: TrackedDocument[] = [];
  const title = (): string => titles[Math.floor(random() * titles.length)] ?? '';
  const newItem = (): Item => {
    const n = documents.length;
    const first = title();
    const document: TrackedDocument = {
      n,
      id: `d${n}`,
      operations: [operation(random() < 0.3 ? 'create' : 'index', 1, first, wholeSource(n, 1, first))],
    };
    documents.push(document);
    return { document, operation: document.operations[0] as Operation };
  };
  const oldItem = (): Item => {
    const [document] = old.splice(Math.floor(random() * old.length), 1) as [TrackedDocument];
    const next = changeOf(document, title(), random);
    document.operations.push(next);
    return { document, operation: next };
  };
  return {
    documents,
    async write() {
      const isSingle = random() < SHARE_OF_SINGLES;
      const items: Item[] = [];
      for (let i = 0; i < (isSingle ? 1 : BULK_ITEMS); i++)
        items.push(old.length > 0 && random() < SHARE_OF_OLD ? oldItem() : newItem());
      await writer.write(items, isSingle ? 'single' : 'bulk');
      for (const { document } of items)
        if (isSettled(document) && old.length < REMEMBERED) old.push(document);
      return undefined;
    },
  };
}

/** There, and nothing of its past can still come. */
function isSettled({ operations }: TrackedDocument): boolean {
  return (
    operations.at(-1)?.action !== 'delete' &&
    operations.every((one) => one.outcome === 'acknowledged' && !one.unclear)
  );
}
