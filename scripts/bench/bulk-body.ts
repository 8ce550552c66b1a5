/** Bulk bodies of any size for a benchmark: made as they are sent, so that they need no memory here. */
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';

export interface BulkBody {
  readonly bytes: number;
  readonly documents: number;
  chunks(): Generator<Buffer>;
}

const CHUNK_BYTES = 64 * 1024;
const ACTION = '{"index":{}}\n';

/**
 * A body of at least `bytes`: documents of about `documentBytes` each with one of the titles, in turn, from the
 * `first` on.
 */
export function bulkBody(
  titles: readonly string[],
  {
    bytes,
    documentBytes,
    first,
  }: { readonly bytes: number; readonly documentBytes: number; readonly first: number },
): BulkBody {
  const heads = titles.map((title) => Buffer.from(`${ACTION}{"title":${JSON.stringify(title)},"body":"`));
  const meanHead = heads.reduce((sum, head) => sum + head.length, 0) / heads.length;
  const filler = Buffer.from('lorem ipsum '.repeat(Math.ceil(documentBytes / 12)));
  const tail = Buffer.concat([
    filler.subarray(0, Math.max(0, Math.round(documentBytes - meanHead + ACTION.length - 3))),
    Buffer.from('"}\n'),
  ]);
  const headOf = (document: number): Buffer => heads[(first + document) % heads.length] as Buffer;
  let total = 0;
  let documents = 0;
  while (total < bytes) total += headOf(documents++).length + tail.length;
  return {
    bytes: total,
    documents,
    *chunks() {
      let parts: Buffer[] = [];
      let size = 0;
      for (let document = 0; document < documents; document++) {
        const head = headOf(document);
        parts.push(head, tail);
        size += head.length + tail.length;
        if (size < CHUNK_BYTES) continue;
        yield Buffer.concat(parts, size);
        parts = [];
        size = 0;
      }
      if (size > 0) yield Buffer.concat(parts, size);
    },
  };
}

export interface BulkAnswer {
  readonly status: number;
  /** Items by their own status, counted as the answer comes; it may be as large as the body. */
  readonly items: ReadonlyMap<number, number>;
  readonly replyBytes: number;
  /** Beginning of the answer. */
  readonly head: string;
}

const ITEM_STATUS = /"status":(\d{3})/g;
/** Longest match of ITEM_STATUS less one: what may be cut by the end of a chunk. */
const CARRY = 11;

/** Sends one body with its length announced; resolves when the answer is complete, even where it came early. */
export function sendBulk(url: string, index: string, body: BulkBody): Promise<BulkAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.bytes };
    const target = new URL(`/${index}/_bulk`, url);
    let answered = false;
    const request = httpRequest(target, { method: 'POST', headers, agent: false }, (response) => {
      answered = true;
      const items = new Map<number, number>();
      let [replyBytes, rest, head] = [0, '', ''];
      response.setEncoding('latin1').on('data', (chunk: string) => {
        replyBytes += chunk.length;
        if (head.length < 300) head = (head + chunk).slice(0, 300);
        const text = rest + chunk;
        let end = 0;
        for (const match of text.matchAll(ITEM_STATUS)) {
          const status = Number(match[1]);
          items.set(status, (items.get(status) ?? 0) + 1);
          end = match.index + match[0].length;
        }
        rest = text.slice(Math.max(end, text.length - CARRY));
      });
      response
        .on('end', () => resolve({ status: response.statusCode ?? 0, items, replyBytes, head }))
        .on('error', reject);
    });
    // Where the answer comes before the body is sent, the connection may end under it: the answer is what counts.
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    Readable.from(body.chunks(), { objectMode: false }).pipe(request);
  });
}
