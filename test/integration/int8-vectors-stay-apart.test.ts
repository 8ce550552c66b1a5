/** Real services and commands with `--precision int8` on the real engine: they agree, and fp32 is told from them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runProgram, startService, type RunningService } from '../../scripts/services.js';
import { engineFixture } from './support/engine.js';
import { rawRequest } from './support/raw-request.js';

const NEVER = new AbortController().signal;
const INT8 = ['--precision', 'int8'];
const TITLES = ['how long a refund takes', 'where is my parcel', '退款多久能到账'];

describe('int8', () => {
  const engine = engineFixture();
  const services: RunningService[] = [];
  let index: string;
  let cache: string;
  const start = async (name: 'ingest' | 'rerank', args: readonly string[]): Promise<RunningService> => {
    const service = await startService(name, ['--upstream', engine.url, ...args], NEVER);
    services.push(service);
    return service;
  };
  const outcome = async (proxy: RunningService): Promise<string> => {
    const { headers } = await rawRequest({
      url: proxy.url,
      method: 'POST',
      path: `/${index}/_search`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: { match: { title: 'refund' } } }),
    });
    return String(headers['x-twinrank']);
  };

  before(async () => {
    cache = mkdtempSync(join(tmpdir(), 'twinrank-int8-'));
    process.env['TWINRANK_CACHE'] = cache;
    index = engine.index();
    const applied = await runProgram(
      ['mapping', 'apply', '--to', engine.url, '--index', index, '--text', 'title', ...INT8],
      'collect',
      NEVER,
    );
    assert.equal(applied.code, 0);
  });
  after(async () => {
    delete process.env['TWINRANK_CACHE'];
    await Promise.all(services.map((service) => service.stop()));
    await engine.cleanUp();
    rmSync(cache, { recursive: true, force: true });
  });

  it('writes vectors that its own proxy scores', async () => {
    const sidecar = await start('ingest', INT8);
    for (const [id, title] of TITLES.entries()) {
      const { status } = await rawRequest({
        url: sidecar.url,
        method: 'PUT',
        path: `/${index}/_doc/${id}?refresh=true`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ title }),
      });
      assert.equal(status, 201);
    }
    const proxy = await start('rerank', INT8);
    assert.match(await outcome(proxy), /^applied; window=100; scored=1; encode=/);
  });

  it('is found fresh by a reindex in int8, which has nothing to write', async () => {
    const { code, stdout } = await runProgram(
      ['reindex', '--to', engine.url, '--index', index, ...INT8],
      'collect',
      NEVER,
    );
    assert.equal(code, 0);
    assert.match(stdout, /3 fresh vectors, 0 without text, 0 failed; 0 written/);
  });

  it('is another model to a proxy in fp32, which leaves the order to the engine and says so', async () => {
    assert.equal(await outcome(await start('rerank', [])), 'skipped; reason=other_model');
  });
});
