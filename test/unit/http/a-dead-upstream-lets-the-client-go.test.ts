/** With no engine there, a client in the middle of a large body can finish sending and reads why it failed. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { request } from 'node:http';
import { passThrough } from '../../../src/http/pass-through.js';
import { listen, shutDown, type AnyServer } from '../../../src/http/listen.js';
import { createService, type ExchangeHandler } from '../../../src/http/service.js';
import { createUpstream } from '../../../src/http/upstream.js';
import { createIngester, DEFAULT_INGEST_OPTIONS } from '../../../src/ingest/app.js';

const SIZE = 20 * 1024 * 1024;

describe('a dead upstream lets the client go', () => {
  const servers: AnyServer[] = [];
  after(() => Promise.all(servers.map((server) => shutDown(server, 0))));

  const ingest = createIngester(
    {
      encoder: { dimensions: 1, fingerprint: '0123456789abcdef', encode: () => Promise.resolve([]) },
      settings: {
        forSearch: () => Promise.reject(new Error('unused')),
        forWrite: () => Promise.resolve(undefined),
      },
    },
    DEFAULT_INGEST_OPTIONS,
  );
  const ways: readonly (readonly [string, string, ExchangeHandler])[] = [
    ['a request that passes through', '/x', (exchange) => passThrough(exchange)],
    ['a bulk request', '/i/_bulk', ingest],
  ];
  for (const [name, path, handler] of ways) {
    it(`for ${name}`, async () => {
      const server = createService(
        createUpstream({ url: new URL('http://user:secret@127.0.0.1:1') }),
        handler,
      );
      servers.push(server);
      const url = new URL(path, await listen(server, { host: '127.0.0.1', port: 0 }));
      const line = Buffer.from('{"index":{}}\n{"title":"x"}\n');
      const body = Buffer.alloc(SIZE, line);
      const { status, text, sentAll } = await new Promise<{ status: number; text: string; sentAll: boolean }>(
        (resolve, reject) => {
          let sentAll = false;
          let answer: { status: number; text: string } | undefined;
          const settle = (): void => {
            if (answer !== undefined && sentAll) resolve({ ...answer, sentAll });
          };
          const sent = request(
            url,
            {
              method: 'POST',
              agent: false,
              headers: { 'content-type': 'application/x-ndjson', 'content-length': SIZE },
            },
            (response) => {
              let text = '';
              response.setEncoding('utf8').on('data', (part: string) => (text += part));
              response.on('end', () => {
                answer = { status: response.statusCode ?? 0, text };
                settle();
              });
            },
          );
          sent.on('error', reject);
          sent.end(body, () => {
            sentAll = true;
            settle();
          });
        },
      );
      assert.equal(status, 502);
      assert.ok(sentAll);
      assert.match(text, /twinrank_upstream_unreachable_exception.*http:\/\/127\.0\.0\.1:1 /);
      assert.doesNotMatch(text, /secret/);
    });
  }
});
