/** Replies of the engine taken apart and put together, and items that have failed before they came to it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import type { PartEntry } from '../../../src/ingest/bulk-part.js';
import { errorOfAnswer, framed, readBulkReply, readItem } from '../../../src/ingest/bulk-reply.js';
import { RetryWindow } from '../../../src/ingest/retry-window.js';
import { answeredAs, settlePart, type AnsweredPart } from '../../../src/ingest/settle-part.js';

const entry = (id: string, rejected: boolean): PartEntry => ({
  action: { name: 'index', index: 'i', id, routing: undefined },
  line: 1,
  bytes: Buffer.from(rejected ? '' : `{"index":{"_id":"${id}"}}\n{}\n`),
  rejected: rejected ? new TwinrankError('encode_failed', 'Cannot "encode".') : undefined,
  from: undefined,
});

/** A part whose items the engine answers with this reply. */
async function settled(part: readonly PartEntry[], reply: string, whole = true): Promise<AnsweredPart> {
  const result = await settlePart(part, {
    send: () => Promise.resolve({ status: 200, statusMessage: 'OK', headers: [], body: Buffer.from(reply) }),
    retry: new RetryWindow(0),
    signal: new AbortController().signal,
    repliesAreJson: true,
    repliesAreWhole: whole,
  });
  assert.ok(result.kind === 'answered');
  return result;
}

const idOf = (item: Buffer): string =>
  (Object.values(JSON.parse(item.toString()) as Record<string, { _id: string }>)[0] ?? { _id: '' })._id;

describe('rejected items', () => {
  it('stand in their places for every choice of rejected positions', async () => {
    const count = 6;
    for (let mask = 0; mask < 1 << count; mask++) {
      const isRejected = (i: number): boolean => (mask & (1 << i)) !== 0;
      const part = Array.from({ length: count }, (_, i) => entry(`d${i}`, isRejected(i)));
      const sent = part.filter(({ rejected }) => rejected === undefined);
      const items = sent.map(({ action }) => `{"index" : {"_id":"${action?.id}","x":1.0}}`);
      const result = await settled(part, `{"took":3,"errors":false,"items":[${items.join(' , ')}]}`);
      assert.deepEqual(
        result.items.map(idOf),
        part.map(({ action }) => action?.id),
      );
      for (const item of items) assert.ok(result.items.some((bytes) => bytes.toString() === item));
      assert.equal(result.verbatim !== undefined, sent.length === count);
    }
  });

  it('are in the engine’s own form', () => {
    const [item] = answeredAs([entry('r', true)], undefined).items;
    assert.deepEqual(JSON.parse(String(item)), {
      index: {
        _index: 'i',
        _id: 'r',
        status: 500,
        error: { type: 'twinrank_encode_failed_exception', reason: 'Cannot "encode".' },
      },
    });
    const anonymous = { ...entry('', true), action: { name: 'create', index: 'i', id: undefined, routing: undefined } } as const; // prettier-ignore
    assert.match(
      String(answeredAs([anonymous], undefined).items[0]),
      /^\{"create":\{"_index":"i","_id":null,"status":500/,
    );
  });

  it('come behind the others where a filter has taken places away', async () => {
    const part = [entry('r', true), entry('a', false), entry('b', false)];
    const result = await settled(part, '{"items":[{"index":{"error":"x"}}]}', false);
    assert.deepEqual(result.items.map(String).map((text) => text.slice(0, 25)), ['{"index":{"error":"x"}}', '{"index":{"_index":"i","_']); // prettier-ignore
  });
});

describe('a reply', () => {
  const totals = { took: 9, ingestTook: 0, errors: true, hasItems: true };
  const put = (reply: string, items: string, change: Partial<typeof totals> = {}): string =>
    framed(readBulkReply(Buffer.from(reply)).frame, { ...totals, ...change }).join(items);

  it('keeps all that is not its items, its time and its errors', () => {
    assert.equal(
      put('{"took":3, "errors" : false,"items":[{"a":1} , {"b":2}],"z":-0.0}', 'I'),
      '{"took":9, "errors" : true,"items":[I],"z":-0.0}',
    );
    assert.equal(put('{"errors":false,"took":3,"items":[]}', 'I'), '{"errors":true,"took":9,"items":[I]}');
    assert.equal(
      put('{"took":3,"ingest_took":1,"errors":false,"items":[]}', '', { ingestTook: 5 }),
      '{"took":9,"ingest_took":5,"errors":true,"items":[]}',
    );
    assert.equal(
      put('{"took":3,"items":[]}', '', { ingestTook: 5 }),
      '{"took":9,"ingest_took":5,"items":[]}',
    );
  });

  it('gets items where a filter left none, and only then', () => {
    assert.equal(put('{"errors":false}', 'I'), '{"errors":true,"items":[I]}');
    assert.equal(put('{}', 'I'), '{"items":[I]}');
    assert.equal(put('{ }', '', { hasItems: false }), '{ }');
  });

  it('knows the space around its items', () => {
    const { frame, items } = readBulkReply(Buffer.from('{"items" : [\n  {"a":1},\n  {"b":2}\n ]}'));
    assert.deepEqual([frame.before, frame.after, items.map(String)], ['\n  ', '\n ', ['{"a":1}', '{"b":2}']]);
  });

  it('that is none is not taken for one', () => {
    for (const text of ['', '[]', 'not json', '{"items":1}', '{"items":['])
      assert.throws(() => readBulkReply(Buffer.from(text)), { name: 'JsonScanError' }, text);
  });
});

describe('an item of a reply', () => {
  it('may be sent again only where the engine did nothing of it and may take it later', () => {
    const item = (status: number, type: string): Buffer =>
      Buffer.from(`{"index":{"_index":"i","_id":"1","status":${status},"error":{"type":"${type}"}}}`);
    assert.ok(readItem(item(429, 'rejected_execution_exception')).refusedForNow);
    assert.ok(!readItem(item(429, 'cluster_block_exception')).refusedForNow);
    assert.ok(!readItem(item(503, 'unavailable_shards_exception')).refusedForNow);
    assert.ok(!readItem(Buffer.from('{"index":{"status":201}}')).failed);
  });

  it('has the error of an answer to the whole, without its root causes', () => {
    assert.equal(
      errorOfAnswer(Buffer.from('{"error":{"root_cause":[{"a":1}],"type":"t","n":1.0},"status":429}')),
      '{"type":"t","n":1.0}',
    );
    for (const text of ['', '<html>', '{"error":"text"}', '{}'])
      assert.equal(errorOfAnswer(Buffer.from(text)), undefined);
  });
});
