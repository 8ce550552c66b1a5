/** The request log: one line, with nothing of what is private, and nothing that breaks a line or a terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathShape } from '../../../src/cli/request-log.js';
import { rawRequest } from '../../integration/support/raw-request.js';
import { httpUpstream } from '../http/wire.js';
import { running, until, type Running } from './running.js';

const lines = (service: Running): readonly Record<string, unknown>[] =>
  service.logged().filter(({ msg }) => msg === 'request' || msg === 'slow request');

/** Runs a proxy over an engine that answers anything at once, and gives its lines. */
async function linesOf(
  args: readonly string[],
  work: (url: string) => Promise<unknown>,
  expected: number,
): Promise<{ readonly lines: readonly Record<string, unknown>[]; readonly written: string }> {
  const engine = await httpUpstream((request, response) => {
    request.resume().once('end', () => response.end('{}'));
  });
  const service = await running('rerank', ['--upstream', engine.href, ...args]);
  try {
    await work(service.url);
    // What is logged goes out with the process at the latest.
    if (expected > 0)
      await until(
        () => lines(service).length,
        (count) => count >= expected,
      );
  } finally {
    await service.end();
  }
  return { lines: lines(service), written: service.written() };
}

const search = (url: string, headers: Record<string, string> = {}, text = 'lost wallet'): Promise<unknown> =>
  rawRequest({
    url,
    method: 'POST',
    path: '/people/_search?preference=private-word',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: { match: { title: text } } }),
  });

describe('a request', () => {
  it('leaves one line: what, how it ended, how long and how large', async () => {
    const { lines: found } = await linesOf(
      [],
      async (url) => {
        await search(url, { 'x-opaque-id': 'app-7' });
        await rawRequest({ url, path: '/_cat/indices' });
      },
      2,
    );
    assert.equal(found.length, 2);
    const [searched, passed] = found;
    assert.equal(searched?.['service'], 'rerank');
    assert.equal(searched?.['method'], 'POST');
    assert.equal(searched?.['path'], '/{index}/_search');
    assert.equal(searched?.['index'], 'people');
    assert.equal(searched?.['kind'], 'search');
    assert.equal(searched?.['outcome'], 'skipped');
    assert.equal(searched?.['opaque_id'], 'app-7');
    assert.equal(searched?.['status'], 200);
    assert.ok(Number(searched?.['bytes_in']) > 100 && Number(searched?.['bytes_out']) > 10);
    assert.equal(typeof searched?.['ms'], 'number');
    assert.equal(passed?.['path'], '/_cat/indices');
    assert.equal(passed?.['outcome'], 'passed');
    assert.notEqual(passed?.['id'], searched?.['id']);
  });

  it('leaves nothing of its body, its query string or its credentials', async () => {
    const { written } = await linesOf(
      ['--log-level', 'debug'],
      (url) => search(url, { authorization: 'Basic c2VjcmV0LXdvcmQ=' }),
      1,
    );
    for (const secret of ['lost wallet', 'private-word', 'c2VjcmV0', 'Basic'])
      assert.ok(!written.includes(secret), secret);
  });

  it('cannot forge a line or steer a terminal', async () => {
    const { lines: found, written } = await linesOf(
      [],
      (url) =>
        rawRequest({
          url,
          path: '/a%0a%7b%22level%22:60%7d/_search?q=x',
          // As the bytes of UTF-8: an escape of one character, a line separator, and a quote.
          headers: { 'x-opaque-id': Buffer.from('x"\u009b31m\u2028y', 'utf8').toString('latin1') },
        }),
      1,
    );
    assert.equal(found.length, 1);
    assert.equal(found[0]?.['opaque_id'], 'x" 31m y');
    assert.equal(found[0]?.['level'], 30);
    assert.ok(!written.includes('\u009b') && !written.includes('\u2028'));
  });

  it('leaves none where the operator wants none, or where it only passes through', async () => {
    const both = async (url: string): Promise<void> => {
      await search(url);
      await rawRequest({ url, path: '/_cat/indices' });
    };
    assert.deepEqual((await linesOf(['--log-requests', 'none'], both, 0)).lines, []);
    const { lines: some } = await linesOf(['--log-requests', 'intercepted'], both, 1);
    assert.deepEqual(
      some.map(({ kind }) => kind),
      ['search'],
    );
  });

  it('that takes long leaves a warning, whatever else is logged', async () => {
    const engine = await httpUpstream((request, response) => {
      setTimeout(() => response.end('{}'), request.url === '/slow' ? 300 : 0);
    });
    const args = ['--upstream', engine.href, '--log-requests', 'none', '--slow-ms', '250'];
    const service = await running('rerank', args);
    try {
      await rawRequest({ url: service.url, path: '/slow' });
      await until(
        () => lines(service).length,
        (count) => count > 0,
      );
    } finally {
      await service.end();
    }
    assert.ok(lines(service).every(({ level }) => level === 40));
    assert.ok(lines(service).some(({ ms }) => Number(ms) >= 250));
  });
});

describe('the path of a line', () => {
  const SHAPES: Readonly<Record<string, string>> = {
    '/': '/',
    '/products/_doc/42?routing=a': '/{index}/_doc/*',
    '/_search/template': '/_search/template',
    '/products/_update/me@example.com': '/{index}/_update/*',
    '/_security/user/alice': '/_security/*/*',
    '/_cluster/health': '/_cluster/health',
    '/a/_search#x': '/{index}/_search',
    'http://other/a/_bulk?x=http://y/z': '/{index}/_bulk',
    '/_Weird%0aPath': '/*',
  };
  for (const [target, shape] of Object.entries(SHAPES))
    it(`of ${target} is ${shape}`, () => {
      assert.equal(pathShape(target).path, shape);
    });
});
