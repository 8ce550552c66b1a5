/** What the clients of the sidecar scenario write: each has documents of its own and its own random numbers. */
import type { Random } from '../../src/evaluate/random.js';
import { partialSource, wholeSource } from './documents.js';
import { operation, type Operation, type TrackedDocument } from './ledger.js';
import type { Pace } from './pace.js';
import type { Item, Writer } from './writer.js';

const SHARE_OF_SINGLES = 0.3;
const SHARE_OF_OLD = 0.25;
/** Documents written before, of which a client picks those that it changes. */
const REMEMBERED = 300;

export interface ClientPlan {
  readonly name: string;
  /** Numbers of its documents: from, and how many. */
  readonly first: number;
  readonly count: number;
  readonly titles: readonly string[];
  readonly random: Random;
  /** Items of its bulk bodies: at least, at most. */
  readonly bulkItems: readonly [number, number];
}

/** Writes all documents of the plan, and changes and deletes some of them. Returns all, with their histories. */
export async function writeAll(
  plan: ClientPlan,
  writer: Writer,
  pace: Pace,
): Promise<readonly TrackedDocument[]> {
  const { random, titles } = plan;
  const documents: TrackedDocument[] = [];
  const old: TrackedDocument[] = [];
  const oneOf = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

  const newItem = (): Item => {
    const n = plan.first + documents.length;
    const which = random();
    const title = oneOf(titles);
    const document: TrackedDocument = {
      n,
      id: which < 0.3 ? undefined : `${plan.name}-${n}`,
      operations: [operation(which > 0.7 ? 'create' : 'index', 1, title, wholeSource(n, 1, title))],
    };
    documents.push(document);
    return { document, operation: document.operations[0] as Operation };
  };
  const oldItem = (): Item => {
    const at = Math.floor(random() * old.length);
    const [document] = old.splice(at, 1) as [TrackedDocument];
    const next = changeOf(document, oneOf(titles), random);
    document.operations.push(next);
    return { document, operation: next };
  };

  while (documents.length < plan.count) {
    const [least, most] = plan.bulkItems;
    const single = random() < SHARE_OF_SINGLES;
    const size = single ? 1 : least + Math.floor(random() * (most - least + 1));
    const before = documents.length;
    const items: Item[] = [];
    while (items.length < size && (documents.length < plan.count || items.length === 0))
      items.push(old.length > 0 && random() < SHARE_OF_OLD ? oldItem() : newItem());
    await pace.begin(documents.length - before);
    await writer.write(items, single ? 'single' : 'bulk');
    for (const { document } of items) if (isSettled(document)) old.push(document);
    if (old.length > REMEMBERED) old.splice(0, old.length - REMEMBERED);
  }
  return documents;
}

/** An update, another whole source, or a delete. */
export function changeOf(document: TrackedDocument, title: string, random: Random): Operation {
  const version = (document.operations.at(-1)?.version ?? 0) + 1;
  const which = random();
  if (which < 0.5) return operation('update', version, title, partialSource(version, title));
  if (which < 0.8) return operation('index', version, title, wholeSource(document.n, version, title));
  return operation('delete', version, title, '');
}

/**
 * True where the document is there and nothing of its past can still come: a write that was lost once may be
 * carried out late, over one that came after it, and no server could tell which the client meant to be the last.
 */
function isSettled({ operations }: TrackedDocument): boolean {
  const last = operations.at(-1);
  return (
    last?.action !== 'delete' && operations.every((one) => one.outcome === 'acknowledged' && !one.unclear)
  );
}
