/** TLS towards callers and towards the engine: the same bytes, and no trust where none is given. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TwinrankError } from '../../../src/errors.js';
import { passThrough } from '../../../src/http/pass-through.js';
import { listen, shutDown, type AnyServer } from '../../../src/http/listen.js';
import { createService } from '../../../src/http/service.js';
import { createUpstream } from '../../../src/http/upstream.js';
import { selfSigned } from './self-signed.js';

const BODY = Buffer.alloc(300_000, 'bytes');

describe('https on both sides', () => {
  const engineIdentity = selfSigned();
  const ownIdentity = selfSigned();
  const engine = createServer(engineIdentity, (incoming, outgoing) => {
    incoming.pipe(outgoing.writeHead(200, ['X-Case', 'Kept', 'content-type', 'x/y']));
  });
  const services: AnyServer[] = [];
  let folder: string;
  let engineUrl: URL;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'twinrank-tls-'));
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    engineUrl = new URL(`https://127.0.0.1:${(engine.address() as AddressInfo).port}`);
  });
  after(async () => {
    await Promise.all(services.map((service) => shutDown(service, 0)));
    engine.closeAllConnections();
    engine.close();
    rmSync(folder, { recursive: true });
  });

  async function serve(trust: { caFile?: string; insecure?: boolean }): Promise<string> {
    const service = createService(
      createUpstream({ url: engineUrl, ...trust }),
      (exchange) => passThrough(exchange),
      {},
      ownIdentity,
    );
    services.push(service);
    return listen(service, { host: '127.0.0.1', port: 0 });
  }
  const post = (url: string): Promise<{ status: number; rawHeaders: string[]; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', ca: ownIdentity.cert, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            rawHeaders: response.rawHeaders,
            body: Buffer.concat(chunks),
          });
        });
      });
      sent.on('error', reject).end(BODY);
    });

  it('carries the same bytes where the authority is trusted, or any is', async () => {
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, engineIdentity.cert);
    for (const trust of [{ caFile }, { insecure: true }]) {
      const url = await serve(trust);
      assert.match(url, /^https:/);
      const answer = await post(url);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.rawHeaders.slice(0, 2), ['X-Case', 'Kept']);
      assert.ok(answer.body.equals(BODY));
    }
  });

  it('refuses an engine that it was not told to trust', async () => {
    const answer = await post(await serve({}));
    assert.equal(answer.status, 502);
    assert.match(answer.body.toString(), /twinrank_upstream_unreachable_exception.*127\.0\.0\.1/);
  });

  it('refuses a certificate that is none', () => {
    const upstream = createUpstream({ url: engineUrl });
    assert.throws(
      () => createService(upstream, (exchange) => passThrough(exchange), {}, { cert: 'x', key: 'y' }),
      (error: unknown) =>
        error instanceof TwinrankError &&
        error.code === 'bad_config' &&
        /certificate or its key/.test(error.message),
    );
  });
});
