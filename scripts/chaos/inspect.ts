/** Reads everything that an index holds, with the bytes of each source. */
import { elementsAt, membersAt, type Member } from '../conform/json-ranges.js';
import { NUMBER_FIELD } from './documents.js';

const PAGE = 500;

/** One stored document. */
export interface Found {
  readonly id: string;
  readonly source: string;
}

/** All documents by their number; those without one stand under -1. */
export async function readIndex(url: string, index: string): Promise<ReadonlyMap<number, readonly Found[]>> {
  const found = new Map<number, Found[]>();
  await call(`${url}/${index}/_refresh`, 'POST');
  const query = JSON.stringify({ size: PAGE, sort: ['_doc'] });
  let page = await call(`${url}/${index}/_search?scroll=2m`, 'POST', query);
  for (;;) {
    const hits = hitsOf(page);
    for (const { n, ...one } of hits) found.set(n, [...(found.get(n) ?? []), one]);
    const scroll_id = stringOf(page, membersAt(page, 0), '_scroll_id');
    if (hits.length === 0) {
      await call(`${url}/_search/scroll`, 'DELETE', JSON.stringify({ scroll_id }));
      return found;
    }
    page = await call(`${url}/_search/scroll`, 'POST', JSON.stringify({ scroll: '2m', scroll_id }));
  }
}

function hitsOf(page: string): readonly (Found & { readonly n: number })[] {
  const failed = member(membersAt(page, valueOf(page, membersAt(page, 0), '_shards')), 'failed');
  if (page.slice(failed?.start, failed?.end) !== '0')
    throw new Error(`Not all shards answer: ${page.slice(0, 500)}`);
  const outer = membersAt(page, valueOf(page, membersAt(page, 0), 'hits'));
  return elementsAt(page, valueOf(page, outer, 'hits')).map((hit) => {
    const members = membersAt(page, hit.start);
    const at = member(members, '_source');
    const source = page.slice(at?.start, at?.end);
    const n = (JSON.parse(source) as Record<string, unknown>)[NUMBER_FIELD];
    return { id: stringOf(page, members, '_id'), source, n: typeof n === 'number' ? n : -1 };
  });
}

function member(members: readonly Member[], key: string): Member | undefined {
  return members.find((one) => one.key === key);
}

function valueOf(text: string, members: readonly Member[], key: string): number {
  const found = member(members, key);
  if (found === undefined) throw new Error(`The engine's answer has no "${key}": ${text.slice(0, 500)}`);
  return found.start;
}

function stringOf(text: string, members: readonly Member[], key: string): string {
  valueOf(text, members, key);
  const found = member(members, key);
  return JSON.parse(text.slice(found?.start, found?.end)) as string;
}

/** A call that must succeed. */
export async function call(url: string, method: string, body?: string): Promise<string> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}
