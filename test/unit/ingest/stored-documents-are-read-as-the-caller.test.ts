/** Reading stored documents: whose credentials, how many requests, and what an engine may answer. */
import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { createIngester, DEFAULT_INGEST_OPTIONS } from '../../../src/ingest/app.js';
import { createCurrentReader, documentsOf } from '../../../src/ingest/update/current-documents.js';
import { cameBetween, readUpdateAnswer } from '../../../src/ingest/update/mend-vector.js';
import type { CurrentDocument } from '../../../src/ingest/update/vectorize-update.js';
import { httpUpstream, serviceOver } from '../http/wire.js';
import { encoderThat, settingsReader } from './fixtures.js';

interface Seen {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An engine that shows what it was asked and answers as `answer` says. */
function engineThat(seen: Seen[], answer: (seen: Seen, response: ServerResponse) => void): RequestListener {
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const one = { target: `${request.method} ${request.url}`, headers: request.headers, body };
      seen.push(one);
      answer(one, response);
    });
  };
}

/** Documents as a handler reads them for a caller with these headers. */
async function read(
  engine: RequestListener,
  ids: readonly (readonly [index: string, id: string])[],
  headers: Record<string, string> = {},
): Promise<CurrentDocument[]> {
  let documents: CurrentDocument[] = [];
  const { url } = await serviceOver(await httpUpstream(engine), async (exchange) => {
    const readCurrent = createCurrentReader(exchange);
    documents = await Promise.all(
      ids.map(([index, id]) => readCurrent({ index, id, routing: id === 'r' ? 'x' : undefined }, ['title'])),
    );
    exchange.response.end();
  });
  await (await fetch(url, { method: 'POST', headers, body: '{}' })).text();
  return documents;
}

const found = (id: string): string =>
  `{"_index":"i","_id":"${id}","_version":4,"_seq_no":9,"_primary_term":2,"found":true,"_source":{ "title": "${id}" }}`;
const idsIn = (body: string): string[] =>
  (JSON.parse(body) as { docs: { _id: string }[] }).docs.map(({ _id }) => _id);
const answering: Parameters<typeof engineThat>[1] = ({ body }, response) => {
  response.end(`{"docs":[${idsIn(body).map(found).join(' , ')}]}`);
};

describe('stored documents', () => {
  it('of one turn are read in one request for each index, 500 at most', async () => {
    const seen: Seen[] = [];
    const ids = Array.from({ length: 1201 }, (_, i) => ['i', `d${i}`] as const);
    const documents = await read(engineThat(seen, answering), [...ids, ['a/b', 'r']]);
    assert.deepEqual(
      seen.map(({ target, body }) => [target, idsIn(body).length]),
      [
        ['POST /i/_mget', 500],
        ['POST /i/_mget', 500],
        ['POST /i/_mget', 201],
        ['POST /a%2Fb/_mget', 1],
      ],
    );
    assert.equal(seen[3]?.body, '{"docs":[{"_id":"r","routing":"x","_source":["title"]}]}');
    documents.forEach((document, i) => {
      const id = i === 1201 ? 'r' : `d${i}`;
      assert.ok(document.state === 'found');
      assert.equal(document.source.toString(), `{ "title": "${id}" }`);
      assert.deepEqual([document.version, document.seqNo, document.primaryTerm], [4, 9, 2]);
    });
  });

  it('are asked for with what the caller sent, but for what describes its body', async () => {
    const seen: Seen[] = [];
    await read(engineThat(seen, answering), [['i', '1']], {
      authorization: 'Basic YWxpY2U6eA==',
      'x-opaque-id': 'job 7',
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
      accept: 'application/yaml',
      'accept-encoding': 'zstd',
      'x-twinrank': 'off',
    });
    const headers = seen[0]?.headers ?? {};
    assert.equal(headers['authorization'], 'Basic YWxpY2U6eA==');
    assert.equal(headers['x-opaque-id'], 'job 7');
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['accept'], 'application/json');
    for (const name of ['content-encoding', 'accept-encoding', 'x-twinrank'])
      assert.equal(headers[name], undefined, name);
  });

  it('that the engine does not show are unread', async () => {
    for (const answer of [
      (response: ServerResponse) => response.writeHead(403).end('{"error":"no"}'),
      (response: ServerResponse) => response.end('<html>'),
      (response: ServerResponse) => response.end('{"docs":[]}'),
      (response: ServerResponse) => response.end('{"docs":[{"_id":"1","found":true}]}'),
      (response: ServerResponse) =>
        response.end('{"docs":[{"_id":"1","error":{"type":"security_exception"}}]}'),
      (response: ServerResponse) => response.destroy(),
    ]) {
      const [document] = await read(
        engineThat([], (_, response) => answer(response)),
        [['i', '1']],
      );
      assert.equal(document?.state, 'unread');
    }
  });

  it('are missing where the engine says so, of the document or of its index', () => {
    const docs = `{"docs":[{"found":false},{"error":{"type":"index_not_found_exception"}},${found('3')}]}`;
    const states = documentsOf(200, Buffer.from(docs), 3).map(({ state }) => state);
    assert.deepEqual(states, ['missing', 'missing', 'found']);
    assert.deepEqual(documentsOf(404, Buffer.from('{}'), 1), [{ state: 'missing' }]);
  });
});

describe('another writer', () => {
  it('is noticed by the version of the answer', () => {
    for (const [from, answer, expected] of [
      [7, '{"_version":8,"result":"updated"}', false],
      [7, '{"_version":9,"result":"updated"}', true],
      [7, '{"_version":9,"result":"noop"}', false],
      [7, '{"_version":9,"result":"created"}', true],
      [0, '{"_version":1,"result":"created"}', false],
      [0, '{"_version":3,"result":"created"}', false],
      [0, '{"_version":2,"result":"updated"}', true],
      [0, '{"_version":1,"result":"updated"}', true],
      [7, '{"_shards":{}}', true],
      [7, 'result: updated', true],
    ] as const)
      assert.equal(cameBetween(from, readUpdateAnswer(Buffer.from(answer))), expected, `${from} ${answer}`);
  });

  /** An engine in which the document moves on under every update. */
  async function updated(conflicts: number): Promise<{ readonly seen: Seen[]; readonly reply: string }> {
    const seen: Seen[] = [];
    let reads = 0;
    const engine = engineThat(seen, ({ target }, response) => {
      if (target.endsWith('/_mget'))
        response.end(
          `{"docs":[{"_version":1,"_seq_no":${++reads},"_primary_term":1,"found":true,"_source":{"title":"v${reads}"}}]}`,
        );
      else if (!target.includes('if_seq_no')) response.end('{"_version": 3, "result":"updated"}');
      else response.writeHead(reads <= conflicts + 1 ? 409 : 200).end('{}');
    });
    const ingester = createIngester(
      { encoder: encoderThat(() => Promise.resolve()), settings: settingsReader },
      DEFAULT_INGEST_OPTIONS,
    );
    const { url } = await serviceOver(await httpUpstream(engine), ingester);
    const reply = await fetch(new URL('/i/_update/a%2Fb?routing=r%20s&refresh=wait_for', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Basic YQ==' },
      body: '{"doc":{"title":"new"}}',
    });
    assert.equal(reply.status, 200);
    return { seen, reply: await reply.text() };
  }

  it('is followed by a guarded update of the vector alone, and the answer stays the engine’s', async () => {
    const { seen, reply } = await updated(1);
    assert.equal(reply, '{"_version": 3, "result":"updated"}');
    const targets = seen.map(({ target }) => target);
    const mend = (seqNo: number): string =>
      `POST /i/_update/a%2Fb?if_seq_no=${seqNo}&if_primary_term=1&routing=r+s&refresh=wait_for`;
    assert.deepEqual(targets, [
      'POST /i/_mget',
      'POST /i/_update/a%2Fb?routing=r%20s&refresh=wait_for',
      'POST /i/_mget',
      mend(2),
      'POST /i/_mget',
      mend(3),
    ]);
    assert.match(seen[5]?.body ?? '', /^\{"doc":\{"vec":"[\w+/=]+"\}\}$/);
    for (const { headers } of seen) assert.equal(headers['authorization'], 'Basic YQ==');
  });

  it('who keeps on writing is not waited for', async () => {
    const { seen, reply } = await updated(100);
    assert.equal(reply, '{"_version": 3, "result":"updated"}');
    assert.equal(seen.filter(({ target }) => target.includes('if_seq_no')).length, 3);
  });
});
