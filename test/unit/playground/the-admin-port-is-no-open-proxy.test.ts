import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import { adminPort, serverBehind } from './fixtures.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const SEARCH = { method: 'POST', headers: JSON_TYPE, body: '{"size":1}' };

/** With headers that fetch would not send. */
function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    })
      .on('error', reject)
      .end();
  });
}

describe('a search of the playground', () => {
  it('reaches the proxy with the credentials of the viewer, and with nothing else of the request', async () => {
    const behind = await serverBehind(200, { 'x-twinrank': 'applied; window=5' });
    const admin = await adminPort(behind.url);
    const response = await fetch(`${admin}/playground/api/search?index=logs-*,%E5%B8%AE%E5%8A%A9`, {
      ...SEARCH,
      headers: {
        ...JSON_TYPE,
        'x-engine-authorization': 'Basic dmlld2Vy',
        authorization: 'Bearer admin-token',
        cookie: 'session=1',
        'x-twinrank': 'window=5; scores',
      },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-twinrank'), 'applied; window=5');
    assert.equal(response.headers.get('x-playground-answer'), 'proxy');
    const [sent] = behind.reached;
    assert.equal(sent?.method, 'POST');
    assert.equal(sent?.url, '/logs-*,%E5%B8%AE%E5%8A%A9/_search');
    assert.equal(sent?.body, '{"size":1}');
    assert.equal(sent?.headers.authorization, 'Basic dmlld2Vy');
    assert.equal(sent?.headers['x-twinrank'], 'window=5; scores');
    assert.equal(sent?.headers.cookie, undefined);
    assert.equal(sent?.headers['x-engine-authorization'], undefined);
  });

  it('bears no credentials where the viewer has given none', async () => {
    const behind = await serverBehind();
    const admin = await adminPort(behind.url);
    await fetch(`${admin}/playground/api/search?index=a`, {
      ...SEARCH,
      headers: { ...JSON_TYPE, authorization: 'Bearer admin-token' },
    });
    assert.equal(behind.reached[0]?.headers.authorization, undefined);
  });

  it('hands a refusal on, without what would make the browser ask for and keep credentials', async () => {
    const behind = await serverBehind(401, { 'www-authenticate': 'Basic realm="x"', 'set-cookie': 'a=b' });
    const admin = await adminPort(behind.url);
    const response = await fetch(`${admin}/playground/api/search?index=a`, SEARCH);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('www-authenticate'), null);
    assert.equal(response.headers.get('set-cookie'), null);
  });

  it('goes nowhere but to the search of an index', async () => {
    const behind = await serverBehind();
    const admin = await adminPort(behind.url);
    const indices = [
      '',
      '_all',
      '_cluster',
      'a/_doc/1',
      'a%2F_doc',
      '..',
      '.',
      'a?x',
      'a b',
      '-a',
      'a,_b',
      'a\n',
    ];
    for (const index of indices) {
      const response = await fetch(
        `${admin}/playground/api/search?index=${encodeURIComponent(index)}`,
        SEARCH,
      );
      assert.equal(response.status, 400, JSON.stringify(index));
    }
    for (const [method, path] of [
      ['DELETE', 'api/search?index=a'],
      ['PUT', 'api/mapping?index=a'],
      ['POST', 'api/mapping?index=a'],
      ['GET', 'api/search?index=a'],
      ['GET', 'api/_cluster/health'],
      ['GET', '..%2f..%2fpackage.json'],
      ['GET', 'tsconfig.json'],
    ] as const) {
      const response = await fetch(`${admin}/playground/${path}`, { method, headers: JSON_TYPE });
      assert.equal(response.status, 404, `${method} ${path}`);
    }
    assert.deepEqual(behind.reached, []);
  });

  it('is refused above a megabyte', async () => {
    const behind = await serverBehind();
    const admin = await adminPort(behind.url);
    const response = await fetch(`${admin}/playground/api/search?index=a`, {
      ...SEARCH,
      body: 'x'.repeat(1024 * 1024 + 1),
    });
    assert.equal(response.status, 413);
    assert.deepEqual(behind.reached, []);
  });

  it('is told to wait while the proxy does not listen, and that a proxy is gone', async () => {
    const starting = await adminPort(undefined);
    assert.equal((await fetch(`${starting}/playground/api/indices`)).status, 503);
    const gone = await adminPort('http://127.0.0.1:9');
    assert.equal((await fetch(`${gone}/playground/api/indices`)).status, 502);
  });
});

describe('calls of other sites', () => {
  it('are refused by what the browser says of them', async () => {
    const behind = await serverBehind();
    const admin = await adminPort(behind.url);
    const own = new URL(admin).host;
    const search = `${admin}/playground/api/search?index=a`;
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(search, { ...SEARCH, headers: { ...JSON_TYPE, ...headers } })).status;
    assert.equal(await post({ origin: 'http://evil.example' }), 403);
    assert.equal(await post({ origin: 'null' }), 403);
    assert.equal(await post({ 'content-type': 'text/plain' }), 403);
    assert.equal(await statusOf(`${admin}/playground/api/indices`, { 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await statusOf(`${admin}/playground/api/indices`, { 'sec-fetch-site': 'same-site' }), 403);
    assert.deepEqual(behind.reached, []);
    assert.equal(await post({ origin: `http://${own}` }), 200);
  });

  it('are refused under a name that was bound to a loopback address anew', async () => {
    const behind = await serverBehind();
    const admin = await adminPort(behind.url);
    const { port } = new URL(admin);
    for (const path of ['', 'api/indices']) {
      assert.equal(
        await statusOf(`${admin}/playground/${path}`, { host: `evil.example:${port}` }),
        403,
        path,
      );
      for (const name of ['localhost', '127.0.0.1', '[::1]', 'twinrank.localhost'])
        assert.equal(await statusOf(`${admin}/playground/${path}`, { host: `${name}:${port}` }), 200, name);
    }
    const open = await adminPort(behind.url, false);
    assert.equal(await statusOf(`${open}/playground/api/indices`, { host: 'ops.example' }), 200);
  });
});

describe('the page', () => {
  it('allows no script, style or request but its own', async () => {
    const admin = await adminPort(undefined);
    const response = await fetch(`${admin}/`);
    assert.equal(new URL(response.url).pathname, '/playground/');
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; /);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(new URL((await fetch(`${admin}/playground`)).url).pathname, '/playground/');
  });

  it('names no address but those beside it', async () => {
    const admin = await adminPort(undefined);
    const page = await (await fetch(`${admin}/playground/`)).text();
    const addresses = [...page.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map((match) => match[1] ?? '');
    assert.ok(addresses.length >= 3);
    for (const address of addresses) {
      assert.match(address, /^[a-z-]+\.[a-z]+$/);
      assert.equal((await fetch(`${admin}/playground/${address}`)).status, 200, address);
    }
  });

  it('is open to all where the admin port has a token, and its calls are not', async () => {
    const behind = await serverBehind();
    const admin = await adminPort(behind.url, true, 'sesame');
    assert.equal((await fetch(`${admin}/playground/`)).status, 200);
    assert.equal((await fetch(`${admin}/playground/main.js`)).status, 200);
    const indices = `${admin}/playground/api/indices`;
    const refused = await fetch(indices);
    assert.equal(refused.status, 401);
    // By this the page tells the admin port's refusal from the engine's.
    assert.equal(refused.headers.get('x-playground-answer'), null);
    assert.equal(behind.reached.length, 0);
    assert.equal((await fetch(indices, { headers: { authorization: 'Bearer sesame' } })).status, 200);
    assert.equal(behind.reached[0]?.headers.authorization, undefined);
  });
});
