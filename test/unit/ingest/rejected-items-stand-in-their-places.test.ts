/** The reply to a bulk request of which not everything was sent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { allRejectedReply, rejectedItemText, spliceRejected } from '../../../src/ingest/bulk-reply.js';
import type { RejectedItem } from '../../../src/ingest/bulk-stream.js';

const rejected = (position: number): RejectedItem => ({
  position,
  action: { name: 'index', index: 'i', id: `r${position}` },
  error: new TwinrankError('encode_failed', 'Cannot "encode".'),
});
const idsOf = (reply: Buffer): string[] =>
  (JSON.parse(reply.toString('utf8')) as { items: Record<string, { _id: string }>[] }).items.map(
    (item) => Object.values(item)[0]?._id ?? '',
  );

describe('rejected items', () => {
  it('stand in their places for every choice of rejected positions', () => {
    const count = 6;
    for (let mask = 0; mask < 1 << count; mask++) {
      const positions = Array.from({ length: count }, (_, i) => i);
      const missing = positions.filter((i) => mask & (1 << i));
      const sent = positions.filter((i) => !missing.includes(i));
      for (const [before, between, after] of [
        ['', ',', ''],
        ['\n  ', ' ,\n  ', '\n '],
      ] as const) {
        const items = sent.map((i) => `{"index" : {"_id":"s${i}","x":1.0}}`).join(between);
        const reply = Buffer.from(`{"took":3, "errors":false,"items":[${before}${items}${after}],"z":-0.0}`);
        const spliced = spliceRejected(reply, missing.toReversed().map(rejected));
        assert.deepEqual(
          idsOf(spliced),
          positions.map((i) => (missing.includes(i) ? `r${i}` : `s${i}`)),
        );
        assert.equal(JSON.parse(spliced.toString('utf8')).errors, true);
        assert.ok(spliced.toString('utf8').startsWith('{"took":3, "errors":true,"items":['));
        assert.ok(spliced.toString('utf8').endsWith('],"z":-0.0}'));
      }
    }
  });

  it('are in the engine’s own form', () => {
    assert.deepEqual(JSON.parse(rejectedItemText(rejected(2))), {
      index: {
        _index: 'i',
        _id: 'r2',
        status: 500,
        error: { type: 'twinrank_encode_failed_exception', reason: 'Cannot "encode".' },
      },
    });
    const anonymous = { ...rejected(0), action: { name: 'create', index: 'i', id: undefined } as const };
    assert.match(rejectedItemText(anonymous), /^\{"create":\{"_index":"i","_id":null,"status":500/);
  });

  it('make the whole reply where nothing was sent', () => {
    const reply = allRejectedReply([rejected(1), rejected(0)], 12.4);
    assert.deepEqual(idsOf(reply), ['r0', 'r1']);
    assert.match(reply.toString('utf8'), /^\{"took":12,"errors":true,/);
  });

  it('stay away from a reply that the caller has filtered', () => {
    assert.equal(
      spliceRejected(Buffer.from('{"errors":false}'), [rejected(0)]).toString(),
      '{"errors":true}',
    );
    assert.equal(spliceRejected(Buffer.from('{}'), [rejected(0)]).toString(), '{}');
  });

  it('are not put into what is no bulk reply', () => {
    for (const text of ['', '[]', 'not json', '{"items":1}', '{"items":['])
      assert.throws(() => spliceRejected(Buffer.from(text), [rejected(0)]), { name: 'JsonScanError' }, text);
  });
});
