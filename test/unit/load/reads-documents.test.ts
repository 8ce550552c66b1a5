import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TwinrankError } from '../../../src/errors.js';
import { csvDocuments } from '../../../src/ingest/load/csv-documents.js';
import { isMalformed } from '../../../src/ingest/load/document.js';
import { failureLine, malformedLine } from '../../../src/ingest/load/failures-file.js';
import { formatOf, openInputFile } from '../../../src/ingest/load/input-file.js';
import { jsonlDocuments } from '../../../src/ingest/load/jsonl-documents.js';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-load-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

/** Each document as [line, id, source] or [line, problem]. */
async function read(
  name: string,
  content: string | Buffer,
  idField: string | null = null,
): Promise<unknown[][]> {
  const file = join(folder, name);
  await writeFile(file, content);
  const input = await openInputFile(file, new AbortController().signal);
  const reader = input.format === 'csv' ? csvDocuments : jsonlDocuments;
  const documents: unknown[][] = [];
  for await (const found of reader(input.stream, { idField, maxDocumentBytes: 10_000 })) {
    documents.push(
      isMalformed(found) ? [found.line, found.problem] : [found.line, found.id, found.source.toString()],
    );
  }
  return documents;
}

async function refused(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => assert.fail('expected an error'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TwinrankError, String(error));
  return `${error.code}: ${error.message}`;
}

describe('JSON lines', () => {
  const text =
    '\uFEFF{"_id":"1","n":9007199254740993}\r\n\r\n{"a": 1.0, "a": 2}\n{"_id":"3","t":"输液\\u00e9"}';
  const expected = [
    [1, '1', '{"n":9007199254740993}'],
    [3, null, '{"a": 1.0, "a": 2}'],
    [4, '3', '{"t":"输液\\u00e9"}'],
  ];

  it('become documents with their own bytes', async () => {
    assert.deepEqual(await read('plain.jsonl', text), expected);
  });

  it('are unpacked', async () => {
    assert.deepEqual(await read('packed.jsonl.gz', gzipSync(text)), expected);
  });

  it('that are malformed are named and passed over', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1\n[1]\n{"a":1} x\n'),
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.from('\n{"_id":"ok"}\n'),
    ]);
    const found = await read('bad.jsonl', bytes);
    assert.deepEqual(
      found.map(([line]) => line),
      [1, 2, 3, 4, 5],
    );
    assert.match(String(found[0]?.[1]), /not JSON/);
    assert.match(String(found[1]?.[1]), /not a JSON object/);
    assert.match(String(found[2]?.[1]), /not JSON/);
    assert.match(String(found[3]?.[1]), /not UTF-8/);
    assert.deepEqual(found[4], [5, 'ok', '{}']);
  });

  it('above the limit are malformed', async () => {
    const found = await read('long.jsonl', `{"a":"${'x'.repeat(20_000)}"}\n{"_id":"ok"}\n`);
    assert.match(String(found[0]?.[1]), /longer than 10000 bytes/);
    assert.deepEqual(found[1], [2, 'ok', '{}']);
  });

  it('of a failures file give the documents back, with their ids and bytes', async () => {
    const failure = { line: 9, status: 400, reason: 'no "good"' };
    const lines = Buffer.concat([
      failureLine(failure, { id: 'k', source: Buffer.from('{"x":1.0,"a":1,"a":2}') }),
      failureLine(failure, { id: null, source: Buffer.from('{"id":"not taken"}') }),
      malformedLine(failure, Buffer.from('{"broken')),
    ]);
    const found = await read('failures.jsonl', lines, 'isbn');
    assert.deepEqual(found.slice(0, 2), [
      [1, 'k', '{"x":1.0,"a":1,"a":2}'],
      [2, null, '{"id":"not taken"}'],
    ]);
    assert.match(String(found[2]?.[1]), /listed as malformed/);
  });
});

describe('CSV', () => {
  it('becomes documents of texts, with quotes, line ends in cells and empty cells left out', async () => {
    const text = '\uFEFF_id,title,note\r\n1,"a ""b"", c",x\r\n2,"two\nlines",\r\n\r\n3,"",输液';
    const expected = [
      [2, '1', '{"title":"a \\"b\\", c","note":"x"}'],
      [3, '2', '{"title":"two\\nlines"}'],
      [6, '3', '{"note":"输液"}'],
    ];
    assert.deepEqual(await read('a.csv', text), expected);
    assert.deepEqual(await read('a.csv.gz', gzipSync(text)), expected);
  });

  it('keeps the order of the columns and strange names', async () => {
    assert.deepEqual(await read('b.csv', '2,1,__proto__\nx,y,z\n'), [
      [2, null, '{"2":"x","1":"y","__proto__":"z"}'],
    ]);
  });

  it('names broken records and goes on behind them', async () => {
    const found = await read('c.csv', 'a,b\n1,"bad"x\n2,ok\n3\n4,5,6\n7,8');
    assert.match(String(found[0]?.[1]), /not CSV/);
    assert.deepEqual(found[1], [3, null, '{"a":"2","b":"ok"}']);
    assert.match(String(found[2]?.[1]), /1 cells where the header has 2/);
    assert.match(String(found[3]?.[1]), /3 cells/);
    assert.deepEqual(found[4], [6, null, '{"a":"7","b":"8"}']);
  });

  it('names the line where a quote that is never closed opens', async () => {
    const found = await read('d.csv', 'a,b\n1,2\n3,"open\n4,5\n');
    assert.deepEqual(found[0], [2, null, '{"a":"1","b":"2"}']);
    assert.equal(found[1]?.[0], 3);
    assert.match(String(found[1]?.[1]), /not CSV: Quote Not Closed/);
  });

  it('with an unusable header is refused', async () => {
    assert.match(await refused(read('e.csv', 'a,,c\n1,2,3\n')), /bad_input_file: .*no name for column 2/);
    assert.match(await refused(read('e.csv', 'a,b,a\n1,2,3\n')), /"a" twice/);
    assert.match(await refused(read('e.csv', 'a;b;c\n1;2;3\n')), /not separated by commas/);
  });
});

describe('an input file', () => {
  const { signal } = new AbortController();

  it('is known by its name', () => {
    assert.deepEqual(
      ['x.jsonl', 'X.JSONL.GZ', 'x.ndjson', 'x.csv.gz'].map((name) => formatOf(name).format),
      ['jsonl', 'jsonl', 'jsonl', 'csv'],
    );
    assert.throws(() => formatOf('x.parquet'), /must end with one of \.jsonl/);
  });

  it('that is missing or a folder is refused by name', async () => {
    assert.match(
      await refused(openInputFile(join(folder, 'none.jsonl'), signal)),
      /bad_input_file: .*none\.jsonl: there is no such file/,
    );
    await writeFile(join(folder, 'x'), '');
    assert.match(await refused(openInputFile(folder + '.jsonl/../x', signal)), /unknown kind/);
  });
});
