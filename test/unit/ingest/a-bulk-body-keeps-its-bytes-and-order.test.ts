/** A bulk body on its way: lines, actions, order, bounds, and what is not ours left as it is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../../../src/errors.js';
import { createRandom } from '../../../src/evaluate/random.js';
import { hasSource, parseAction } from '../../../src/ingest/bulk-action.js';
import { bulkLines, LONG_LINE } from '../../../src/ingest/bulk-lines.js';
import { bulkItems, emptyTally } from '../../../src/ingest/bulk-items.js';
import { withVector } from '../../../src/ingest/document-vector.js';
import { createVectorizer, type Vectorize } from '../../../src/ingest/vectorizer.js';
import {
  chunked,
  eachOf,
  encoderThat,
  itemOptions,
  SETTINGS,
  settingsReader,
  transformed,
  vectorOf,
} from './fixtures.js';

const LIMITS = { maxLineBytes: 1000, longLineBytes: 1000 };
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const vectorizerWith = (encoder: Parameters<typeof createVectorizer>[0]['encoder']): Vectorize =>
  createVectorizer({ encoder, settings: settingsReader }, 'reject');
const atOnce = vectorizerWith(encoderThat(() => Promise.resolve()));

/** What a source line becomes. */
const spliced = (source: string, text: string): string =>
  withVector(Buffer.from(source), SETTINGS, { text, vector: vectorOf(text) }).toString('utf8');

describe('lines', () => {
  it('are the same however the body is cut into chunks', async () => {
    const body = Buffer.from(
      '{"index":{}}\n\n{"title":"é 中文"}\r\n \n{"delete":{"_id":"1"}}\nlast without newline',
    );
    const expected = body.toString('utf8').split(/(?<=\n)/);
    for (let size = 1; size <= body.length; size++) {
      const lines: string[] = [];
      for await (const found of bulkLines(chunked(body, size), LIMITS)) lines.push(found.toString());
      assert.deepEqual(lines, expected, `chunks of ${size}`);
    }
  });

  it('of an empty body are none', async () => {
    for await (const found of bulkLines(chunked(Buffer.alloc(0), 1), LIMITS)) assert.fail(found.toString());
  });

  it('above the limit are refused before they are held', async () => {
    const read = async (): Promise<void> => {
      for await (const _ of bulkLines(chunked(Buffer.alloc(10_000, 'x'), 100), LIMITS))
        assert.fail('no line ends');
    };
    await assert.rejects(
      read(),
      (error: unknown) => error instanceof TwinrankError && error.code === 'body_too_large',
    );
  });
});

describe('a long line', () => {
  it('is announced once, before the rest of it is read', async () => {
    const body = Buffer.from(`short\n${'x'.repeat(500)}\n${'y'.repeat(50)}\n${'z'.repeat(500)}`);
    const found: string[] = [];
    for await (const one of bulkLines(chunked(body, 10), { maxLineBytes: 1000, longLineBytes: 100 }))
      found.push(one.toString().slice(0, 9));
    assert.deepEqual(found, ['short\n', LONG_LINE, 'xxxxxxxxx', 'yyyyyyyyy', LONG_LINE, 'zzzzzzzzz']);
  });
});

describe('an action line', () => {
  const parse = (text: string, index?: string): unknown =>
    parseAction(Buffer.from(text), { index, routing: undefined });

  it('names action, index and id', () => {
    const none = { index: undefined, id: undefined, routing: undefined };
    for (const [text, expected] of [
      [
        '{"index":{"_index":"i","_id":"1","routing":"x"}}\n',
        { name: 'index', index: 'i', id: '1', routing: 'x' },
      ],
      [' { "create" : { } } \r\n', { ...none, name: 'create', index: 'd' }],
      ['{"delete":{"_id":7,"_index":"\\u0069"}}', { ...none, name: 'delete', index: 'i', id: '7' }],
      [
        '{"update":{"_id":null,"_index":null,"_routing":5}}',
        { name: 'update', index: 'd', id: undefined, routing: '5' },
      ],
      ['{"index":{}}', { ...none, name: 'index', index: 'd' }],
    ] as const)
      assert.deepEqual(parse(text, 'd'), expected, text);
    const defaults = { index: 'd', routing: 'r' };
    for (const [line, routing] of [
      ['{"update":{"_id":"1"}}', 'r'],
      ['{"update":{"_id":"1","routing":"own"}}', 'own'],
    ] as const)
      assert.equal(parseAction(Buffer.from(line), defaults)?.routing, routing);
  });

  it('may have a mark before it and comments in it, as the engines allow', () => {
    const expected = { name: 'index', index: undefined, id: '1', routing: undefined };
    for (const text of ['\ufeff{"index":{"_id":"1"}}', '/* a */{"index":/* b */{"_id":"1"/* c */}}// d'])
      assert.deepEqual(parse(text), expected, text);
  });

  it('is read as the engines do, which stop at the end of the action', () => {
    for (const text of [
      '{"index":{"_id":"1"},"create":{}}',
      '{"index":{"_id":"1"}',
      '{"index":{"_id":"1"}}x',
    ])
      assert.deepEqual(parse(text), { name: 'index', index: undefined, id: '1', routing: undefined }, text);
  });

  it('is none in any other form', () => {
    for (const text of [
      '',
      '{}',
      '[]',
      'x',
      '{"index":1}',
      '{"upsert":{}}',
      '{"index":{',
      '{"\\x":{}}',
      '{"__proto__":{}}',
    ])
      assert.equal(parse(text), undefined, text);
  });

  it('has a source line behind it unless it deletes', () => {
    assert.ok(hasSource({ name: 'update', index: 'i', id: '1', routing: undefined }));
    assert.ok(!hasSource({ name: 'delete', index: 'i', id: '1', routing: undefined }));
  });
});

describe('a bulk body', () => {
  it('gets vectors in its sources and keeps every other byte', async () => {
    const sources = [
      '{"n": 9007199254740993, "x": 1.0, "title":"a", "a": 1, "a": 2}',
      '{ "title" : "\\u00e9" }\r',
      '{"title":null}',
      '{"no":1}',
    ];
    const body = [
      '{"index":{"_index":"i"}}\n', `${sources[0]}\n`,
      '\n',
      '{ "create" : {"_index":"i","_id":"2"} }\r\n', `${sources[1]}\n`,
      '{"delete":{"_index":"i","_id":"3"}}\n',
      '{"update":{"_index":"i","_id":"4"}}\n', '{"doc":{"title":"x"}}\n',
      '{"index":{"_index":"plain"}}\n', '{"title":"not configured"}\n',
      '{"index":{"_index":"i"}}\n', `${sources[2]}\n`,
      '{"index":{"_index":"i"}}\n', 'no json\n',
      '{"index":{}}\n', '{"title":"no index"}\n',
      '{"index":{"_index":"i"}}\n', sources[3] ?? '',
    ]; // prettier-ignore
    const { text, tally } = await transformed(eachOf(body), atOnce);
    const expected = [...body];
    expected[1] = `${spliced(sources[0] ?? '', 'a')}\n`;
    expected[4] = `${spliced(sources[1] ?? '', 'é')}\n`;
    assert.equal(text, expected.join(''));
    assert.deepEqual(tally.outcomes, { vector: 2, not_configured: 1, no_text: 2, unreadable: 1 });
    assert.deepEqual([tally.items, tally.rejected], [9, 0]);
  });

  it('takes its index from the path where the line names none', async () => {
    const { text } = await transformed(eachOf(['{"index":{}}\n', '{"title":"x"}']), atOnce, {
      defaults: { index: 'i', routing: undefined },
    });
    assert.equal(text, `{"index":{}}\n${spliced('{"title":"x"}', 'x')}`);
  });

  it('is left as sent from a malformed action line on', async () => {
    const body = [
      '{"index":{"_index":"i"}}\n',
      '{"title":"x"}\n',
      'broken\n',
      '{"index":{"_index":"i"}}\n',
      '{"title":"y"}\n',
    ];
    const { text, tally } = await transformed(eachOf(body), atOnce);
    assert.equal(text, [body[0], `${spliced('{"title":"x"}', 'x')}\n`, ...body.slice(2)].join(''));
    assert.equal(tally.items, 1);
  });

  it('that ends with an action line keeps it for the engine to judge', async () => {
    const { text } = await transformed(eachOf(['{"index":{"_index":"i"}}\n']), atOnce);
    assert.equal(text, '{"index":{"_index":"i"}}\n');
  });

  it('keeps its order with an encoder that answers out of order, and stays within its bounds', async () => {
    const random = createRandom(21);
    for (const [maxPendingItems, maxPendingBytes] of [
      [8, 1_000_000],
      [1000, 400],
    ] as const) {
      const encoder = encoderThat(() => sleep(random() * 4));
      const count = 200;
      const body = Array.from({ length: count }, (_, i) => [
        line({ index: { _index: 'i', _id: String(i) } }),
        line({ title: `t${i}` }),
      ]).flat();
      const { text, tally } = await transformed(eachOf(body), vectorizerWith(encoder), {
        maxPendingItems,
        maxPendingBytes,
      });
      const ids = text
        .split('\n')
        .filter((l) => l.includes('_index'))
        .map((l) => (JSON.parse(l) as { index: { _id: string } }).index._id);
      const titles = text
        .split('\n')
        .filter((l) => l.includes('title'))
        .map((l) => (JSON.parse(l) as { title: string }).title);
      assert.deepEqual(
        ids,
        Array.from({ length: count }, (_, i) => String(i)),
      );
      assert.deepEqual(
        titles,
        ids.map((id) => `t${id}`),
      );
      assert.equal(tally.outcomes.vector, count);
      assert.ok(encoder.peak() > 1 && encoder.peak() <= 9, `${encoder.peak()} were pending`);
    }
  });

  it('is not read further than its bounds while the engine does not take it', async () => {
    let read = 0;
    const lines = async function* (): AsyncGenerator<Buffer> {
      for (; read < 10_000; read++)
        yield await Promise.resolve(
          Buffer.from(read % 2 === 0 ? '{"index":{"_index":"i"}}\n' : '{"title":"x"}\n'),
        );
    };
    const output = bulkItems(lines(), emptyTally(), itemOptions(atOnce, { maxPendingItems: 50 }));
    await output.next();
    await sleep(5);
    assert.ok(read <= 104, `${read} lines were read`);
    await output.return(undefined);
  });
});

describe('an item that cannot be encoded', () => {
  const body = ['ok a', 'fail b', 'ok c', 'fail d'].flatMap((title) => [
    line({ index: { _index: 'i' } }),
    line({ title }),
  ]);

  it('is left out and reported with its place', async () => {
    const random = createRandom(4);
    const { text, tally, rejected } = await transformed(
      eachOf(body),
      vectorizerWith(encoderThat(() => sleep(random() * 3))),
    );
    assert.ok(!text.includes('fail') && text.split('\n').length === 5);
    assert.deepEqual(rejected, ['line 3 encode_failed', 'line 7 encode_failed']);
    assert.equal(tally.rejected, 2);
  });

  it('is written without a vector where the policy says so', async () => {
    const problems: string[] = [];
    const vectorize = createVectorizer(
      {
        encoder: encoderThat(() => Promise.resolve()),
        settings: settingsReader,
        onProblem: (what) => problems.push(what),
      },
      'pass',
    );
    const { text, tally } = await transformed(eachOf(body), vectorize);
    assert.ok(text.includes('{"title":"fail b"}\n') && text.includes('{"title":"fail d"}\n'));
    assert.deepEqual(tally.outcomes, { vector: 2, encode_failed: 2 });
    assert.deepEqual(problems, ['encode_failed', 'encode_failed']);
  });

  it('waits while the encoder is overloaded, and fails when that lasts too long', async () => {
    let refusals = 3;
    const busy = encoderThat(() => {
      if (refusals-- > 0) return Promise.reject(new TwinrankError('overloaded', 'Full.'));
      return Promise.resolve();
    });
    const first = body.slice(0, 2);
    const patient = await transformed(eachOf(first), vectorizerWith(busy), { overloadPatienceMs: 60_000 });
    assert.equal(patient.tally.outcomes.vector, 1);
    refusals = Infinity;
    const given = await transformed(eachOf(first), vectorizerWith(busy), { overloadPatienceMs: 30 });
    assert.deepEqual(given.rejected, ['line 1 overloaded']);
  });

  it('because the client has left ends the stream', async () => {
    const aborter = new AbortController();
    const waiting = encoderThat((_text, { signal }) => {
      aborter.abort();
      return sleep(60_000, undefined, { signal });
    });
    await assert.rejects(
      transformed(eachOf(body), vectorizerWith(waiting), { signal: aborter.signal }),
      (error: unknown) => error instanceof TwinrankError && error.code === 'cancelled',
    );
  });
});
