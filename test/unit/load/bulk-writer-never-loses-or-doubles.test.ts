import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createBulkSend } from '../../../src/search-engine/bulk-send.js';
import { createBulkWriter } from '../../../src/search-engine/bulk-writer.js';
import type {
  BulkFailure,
  BulkOperation,
  BulkStatistics,
  BulkWriterOptions,
} from '../../../src/search-engine/bulk-writer.js';
import { createEngineClient } from '../../../src/search-engine/client.js';

type Reply = (
  request: { readonly ids: readonly string[]; readonly turn: number },
  response: ServerResponse,
  socket: IncomingMessage,
) => void;

const OPTIONS: BulkWriterOptions = {
  batchDocuments: 2,
  batchBytes: 10_000,
  concurrency: 1,
  retries: 3,
  firstDelay: 1,
  maxDelay: 20,
};

const json = { 'content-type': 'application/json' };

function items(response: ServerResponse, statuses: readonly number[]): void {
  const answer = statuses.map((status) => ({
    index:
      status < 300
        ? { status }
        : {
            status,
            error: {
              type: 'some_exception',
              reason: `status ${status}`,
              caused_by: { type: 'inner', reason: 'why' },
            },
          },
  }));
  response.writeHead(200, json).end(JSON.stringify({ errors: false, items: answer }));
}

interface Outcome {
  readonly statistics: BulkStatistics;
  readonly failures: readonly BulkFailure<string>[];
  /** Ids of each request that arrived. */
  readonly requests: readonly (readonly string[])[];
  readonly error: unknown;
}

/** Writes documents against a server that answers as told. */
async function write(
  documents: readonly string[],
  reply: Reply,
  options: Partial<BulkWriterOptions> & { readonly repeatable?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Outcome> {
  const requests: string[][] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n');
      const ids = lines
        .filter((_, i) => i % 2 === 0)
        .map((line) => (JSON.parse(line) as { index: { _id: string } }).index._id);
      requests.push(ids);
      reply({ ids, turn: requests.length }, response, request);
    });
  });
  const client = createEngineClient(await listen(server), { timeoutMs: 5_000 });
  const failures: BulkFailure<string>[] = [];
  const writer = createBulkWriter<string>(
    { send: createBulkSend(client, 'things'), onFailure: (failure) => failures.push(failure) },
    { ...OPTIONS, ...options },
  );
  async function* operations(): AsyncGenerator<BulkOperation<string>> {
    for (const id of documents) {
      await Promise.resolve();
      yield {
        action: JSON.stringify({ index: { _id: id } }),
        source: Buffer.from('{}'),
        key: id,
        repeatable: options.repeatable ?? true,
        origin: id,
      };
    }
  }
  const error: unknown = await writer
    .write(operations(), options.signal ?? new AbortController().signal)
    .then(
      () => null,
      (reason: unknown) => reason,
    );
  await client.close();
  server.closeAllConnections();
  server.close();
  return { statistics: writer.statistics(), failures, requests, error };
}

async function listen(server: Server): Promise<URL> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const written: Reply = ({ ids }, response) =>
  items(
    response,
    ids.map(() => 201),
  );

describe('bulk writer', () => {
  it('sends every document once, in bounded requests', async () => {
    const { statistics, requests, failures, error } = await write(['a', 'b', 'c', 'd', 'e'], written);
    assert.equal(error, null);
    assert.deepEqual(requests, [['a', 'b'], ['c', 'd'], ['e']]);
    assert.deepEqual(failures, []);
    assert.equal(statistics.documents, 5);
    assert.equal(statistics.requests, 3);
    assert.ok(statistics.bytes > 0);
  });

  it('bounds a request by bytes, and sends a larger document alone', async () => {
    const { requests } = await write(['a', 'b'], written, { batchDocuments: 100, batchBytes: 5 });
    assert.deepEqual(requests, [['a'], ['b']]);
  });

  it('keeps no more requests under way than it may', async () => {
    let now = 0;
    let most = 0;
    const documents = Array.from({ length: 40 }, (_, i) => `d${i}`);
    const { statistics } = await write(
      documents,
      ({ ids }, response) => {
        most = Math.max(most, ++now);
        setTimeout(() => {
          now--;
          items(
            response,
            ids.map(() => 201),
          );
        }, 5);
      },
      { concurrency: 3 },
    );
    assert.equal(statistics.documents, 40);
    assert.ok(most <= 3 && most >= 2, `${most} at once`);
  });

  it('sends again only the items that were refused for now', async () => {
    const { statistics, requests, failures } = await write(['a', 'b'], ({ ids, turn }, response) => {
      if (turn === 1) items(response, [201, 429]);
      else if (turn === 2) items(response, [503]);
      else
        items(
          response,
          ids.map(() => 201),
        );
    });
    assert.deepEqual(requests, [['a', 'b'], ['b'], ['b']]);
    assert.deepEqual(failures, []);
    assert.equal(statistics.documents, 2);
    assert.equal(statistics.retried, 2);
  });

  it('gives up after the last retry and says how often it tried', async () => {
    const { statistics, failures, requests } = await write(['a'], (_, response) => items(response, [429]));
    assert.equal(requests.length, 4);
    assert.equal(statistics.failed, 1);
    assert.match(failures[0]?.reason ?? '', /some_exception: status 429 \(inner: why\) \(tried 4 times\)/);
  });

  it('reports an item that the engine refuses, and goes on', async () => {
    const { statistics, failures, error } = await write(['a', 'b', 'c'], ({ ids }, response) =>
      items(
        response,
        ids.map((id) => (id === 'b' ? 400 : 201)),
      ),
    );
    assert.equal(error, null);
    assert.equal(statistics.documents, 2);
    assert.deepEqual(
      failures.map(({ origin, status }) => [origin, status]),
      [['b', 400]],
    );
  });

  it('waits for as long as Retry-After says', async () => {
    const times: number[] = [];
    const { statistics } = await write(
      ['a'],
      ({ turn }, response) => {
        times.push(performance.now());
        if (turn === 1)
          response
            .writeHead(429, { ...json, 'retry-after': '1' })
            .end('{"error":{"type":"busy","reason":"later"},"status":429}');
        else items(response, [201]);
      },
      { maxDelay: 1_000 },
    );
    assert.equal(statistics.documents, 1);
    // A lower bound, which a slow machine cannot break.
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990);
  });

  it('repeats documents with an id after a lost connection', async () => {
    const { statistics, requests } = await write(['a', 'b'], ({ ids, turn }, response, request) => {
      if (turn === 1) request.socket.destroy();
      else
        items(
          response,
          ids.map(() => 200),
        );
    });
    assert.deepEqual(requests, [
      ['a', 'b'],
      ['a', 'b'],
    ]);
    assert.equal(statistics.documents, 2);
  });

  it('reports, and does not repeat, what could be written twice', async () => {
    for (const breakIt of [
      (response: ServerResponse) => response.socket?.destroy(),
      (response: ServerResponse) => response.writeHead(502, json).end('{"error":"gone","status":502}'),
    ]) {
      const { statistics, requests, failures } = await write(
        ['a', 'b'],
        (_, response) => void breakIt(response),
        { repeatable: false },
      );
      assert.equal(requests.length, 1);
      assert.equal(statistics.failed, 2);
      assert.match(failures[0]?.reason ?? '', /may have been written all the same/);
    }
  });

  it('halves a request that is too large', async () => {
    const { statistics, requests } = await write(
      ['a', 'b', 'c', 'd'],
      ({ ids }, response) => {
        if (ids.length > 1) response.writeHead(413).end();
        else items(response, [201]);
      },
      { batchDocuments: 4 },
    );
    assert.equal(statistics.documents, 4);
    assert.deepEqual(
      requests.map((ids) => ids.length),
      [4, 2, 1, 1, 2, 1, 1],
    );
  });

  it('keeps the order of writes to the same document, repetitions included', async () => {
    let held = false;
    const { requests, statistics } = await write(
      ['a', 'b', 'a', 'c'],
      ({ ids, turn }, response) => {
        if (turn === 1) items(response, [429, 201]);
        else if (turn === 2) {
          held = true;
          setTimeout(() => {
            held = false;
            items(response, [201]);
          }, 20);
        } else {
          assert.equal(held, false, 'the second write came before the first was settled');
          items(
            response,
            ids.map(() => 201),
          );
        }
      },
      { concurrency: 4, batchDocuments: 10 },
    );
    assert.deepEqual(requests, [['a', 'b'], ['a'], ['a', 'c']]);
    assert.equal(statistics.documents, 4);
  });

  it('stops at once where the caller is not let in', async () => {
    const { error, requests } = await write(
      Array.from({ length: 20 }, (_, i) => `d${i}`),
      (_, response) =>
        response
          .writeHead(403, json)
          .end('{"error":{"type":"security_exception","reason":"no permissions"},"status":403}'),
    );
    assert.match(String(error), /refuses to write \(403\).*no permissions/);
    assert.ok(requests.length <= 2);
  });

  it('does not take another server for an engine', async () => {
    const { error } = await write(['a'], (_, response) =>
      response.writeHead(200, json).end('{"hello":"world"}'),
    );
    assert.match(String(error), /has no items; is the address that of an engine\?/);
  });

  it('stops when told to, while it waits for an answer', async () => {
    const stop = new AbortController();
    const { error, statistics } = await write(['a', 'b', 'c'], () => stop.abort(), { signal: stop.signal });
    assert.match(String(error), /stopped before its end/);
    assert.equal(statistics.documents, 0);
  });

  it('reports every document where nothing listens', async () => {
    const client = createEngineClient(new URL('http://127.0.0.1:1'));
    const failures: BulkFailure<string>[] = [];
    const writer = createBulkWriter<string>(
      { send: createBulkSend(client, 'x'), onFailure: (failure) => failures.push(failure) },
      OPTIONS,
    );
    async function* one(): AsyncGenerator<BulkOperation<string>> {
      await Promise.resolve();
      yield { action: '{"index":{}}', source: Buffer.from('{}'), key: null, repeatable: false, origin: 'a' };
    }
    await writer.write(one(), new AbortController().signal);
    await client.close();
    // Refused connections cannot have written, so even this document was tried again.
    assert.equal(writer.statistics().retried, 3);
    assert.match(failures[0]?.reason ?? '', /cannot be reached.*tried 4 times/s);
  });
});
