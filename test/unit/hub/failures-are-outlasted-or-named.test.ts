/** What can go wrong between a Hub and here: what passes is waited out, the rest is named with its remedy. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TwinrankError, type ErrorCode } from '../../../src/errors.js';
import type { Fault, FakeHubOptions, RevisionAnswer, SeenRequest } from './fake-hub.js';
import { gitSha1, sha256 } from './fake-hub.js';
import {
  COMMIT,
  ENCODER_BYTES,
  playground,
  REPOSITORY,
  smallBundle,
  type Playground,
  type PullOptions,
} from './fixtures.js';

const ENCODER = 'onnx/encoder.onnx';
const HALF = ENCODER_BYTES / 2;

const isEncoder = ({ server, url }: SeenRequest): boolean => server === 'storage' && url.includes('encoder');
const isInfo = ({ url }: SeenRequest): boolean => url.startsWith('/api/models/');
const reply = (response: ServerResponse, status: number, headers = {}, body = ''): true => {
  response.writeHead(status, headers).end(body);
  return true;
};

/** The fault for the first `times` requests that match. */
function first(times: number, matches: (request: SeenRequest) => boolean, fault: Fault): Fault {
  let left = times;
  return (request, response) => matches(request) && left-- > 0 && fault(request, response);
}

/** Sends the whole head and half of what is asked for, then drops the connection. */
const cutInHalf: Fault = ({ headers }, response) => {
  const bytes = smallBundle().get(ENCODER) ?? Buffer.alloc(0);
  const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
  const rest = bytes.subarray(start);
  response.writeHead(start === 0 ? 200 : 206, {
    etag: `"storage-${bytes.length}"`,
    'content-length': rest.length,
    'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
  });
  response.write(rest.subarray(0, Math.ceil(rest.length / 2)), () => response.socket?.end());
  return true;
};

describe('a failure between the Hub and here', () => {
  let ground: Playground;
  beforeEach(async () => {
    ground = await playground();
  });
  afterEach(() => ground.cleanUp());

  const staging = (): string => join(ground.root, 'someone--a-bundle/parts', COMMIT);

  /** Pulls and expects this failure; the message for more to check. */
  const fails = async (
    hub: Partial<FakeHubOptions>,
    code: ErrorCode,
    message: RegExp,
    options: PullOptions = {},
  ): Promise<string> => {
    const { url } = await ground.hub(hub);
    const error: unknown = await ground.pull(url, options).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TwinrankError, String(error));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    await assert.rejects(stat(join(ground.root, 'someone--a-bundle', COMMIT)), 'nothing may look whole');
    return error.message;
  };

  describe('that passes', () => {
    it('a body that is cut off once is gone on with from where it ended', async () => {
      const hub = await ground.hub({ fault: first(1, isEncoder, cutInHalf) });
      const told: string[] = [];
      await ground.pull(hub.url, { told });
      const [, second] = hub.fileRequests(ENCODER);
      assert.equal(second?.headers.range, `bytes=${HALF}-`);
      assert.equal(second?.headers['if-range'], `"storage-${ENCODER_BYTES}"`);
      assert.equal(told.length, 1);
    });

    it('a server that ends every body half way gives the whole file in the end', async () => {
      const hub = await ground.hub({ fault: first(40, isEncoder, cutInHalf) });
      await ground.pull(hub.url, { retries: 1 });
      assert.ok(hub.fileRequests(ENCODER).length > 10);
    });

    it('a server that knows no ranges is asked for all of it again', async () => {
      const hub = await ground.hub({ ranges: false, fault: first(1, isEncoder, cutInHalf) });
      await ground.pull(hub.url);
      assert.equal(hub.fileRequests(ENCODER).length, 2);
    });

    it('a file that has changed under its address is taken from its beginning', async () => {
      const hub = await ground.hub({
        fault: first(1, isEncoder, (_, response) => {
          const other = Buffer.alloc(ENCODER_BYTES, 7);
          response.writeHead(200, { etag: '"older"', 'content-length': other.length });
          response.write(other.subarray(0, HALF), () => response.socket?.end());
          return true;
        }),
      });
      await ground.pull(hub.url);
      const [, second] = hub.fileRequests(ENCODER);
      assert.equal(second?.headers['if-range'], '"older"');
    });

    it('a range that the server refuses, or another than was asked for, is asked for from the beginning', async () => {
      for (const fault of [
        (_: SeenRequest, response: ServerResponse) => reply(response, 416),
        (_: SeenRequest, response: ServerResponse) =>
          reply(response, 206, { 'content-range': `bytes 5-9/${ENCODER_BYTES}` }, '12345'),
      ]) {
        const own = await playground();
        try {
          const isRange = (request: SeenRequest): boolean =>
            isEncoder(request) && request.headers.range !== undefined;
          const cut = first(1, isEncoder, cutInHalf);
          const refuse = first(1, isRange, fault);
          const hub = await own.hub({ fault: (...args) => cut(...args) || refuse(...args) });
          await own.pull(hub.url);
          assert.equal(hub.fileRequests(ENCODER).length, 3);
        } finally {
          await own.cleanUp();
        }
      }
    });

    it('what an interrupted pull has fetched is not fetched again', async () => {
      const stop = new AbortController();
      const hub = await ground.hub({
        fault: first(1, isEncoder, (_, response) => {
          response.writeHead(200, { 'content-length': ENCODER_BYTES, etag: `"storage-${ENCODER_BYTES}"` });
          response.write(smallBundle().get(ENCODER)?.subarray(0, HALF));
          return true;
        }),
      });
      const onProgress = (done: number): void => {
        if (done > HALF) stop.abort();
      };
      await assert.rejects(ground.pull(hub.url, { signal: stop.signal, onProgress }), { code: 'cancelled' });
      const part = (await stat(join(staging(), `${ENCODER}.part`))).size;
      assert.ok(part > 0);
      await ground.pull(hub.url);
      assert.equal(hub.fileRequests('manifest.json').length, 1);
      assert.equal(hub.fileRequests(ENCODER).at(-1)?.headers.range, `bytes=${part}-`);
    });

    for (const [what, status, headers] of [
      ['a limit on requests', 429, { 'retry-after': '0' }],
      ['a server that fails', 503, {}],
      ['a server in the way that fails', 502, { 'content-type': 'text/html' }],
    ] as const) {
      it(`${what} is waited out, for the list and for files`, async () => {
        const info = first(2, isInfo, (_, response) => reply(response, status, headers));
        const file = first(2, isEncoder, (_, response) => reply(response, status, headers));
        const hub = await ground.hub({ fault: (...args) => info(...args) || file(...args) });
        await ground.pull(hub.url);
        assert.equal(hub.fileRequests(ENCODER).length, 3);
      });
    }

    it('a signed address that has expired is got anew from the Hub', async () => {
      const hub = await ground.hub({ fault: first(1, isEncoder, (_, response) => reply(response, 403)) });
      await ground.pull(hub.url);
      const signed = hub.seen.filter(({ server, url }) => server === 'hub' && url.endsWith(ENCODER));
      assert.equal(signed.length, 2);
    });

    it('a silent server is left and asked again', async () => {
      const hub = await ground.hub({ fault: first(1, isEncoder, () => true) });
      await ground.pull(hub.url, { silenceMs: 300 });
      assert.equal(hub.fileRequests(ENCODER).length, 2);
    });

    it('a file that was changed on its way is deleted and fetched once more', async () => {
      const hub = await ground.hub({
        fault: first(1, isEncoder, (_, response) => reply(response, 200, {}, 'x'.repeat(ENCODER_BYTES))),
      });
      const told: string[] = [];
      await ground.pull(hub.url, { told });
      assert.match(told.join(), /came damaged \(another sha256 hash\)/);
    });
  });

  describe('that stays', () => {
    it('bodies that are always cut off at the same place', async () => {
      const fault: Fault = (request, response) =>
        isEncoder(request) && cutInHalf({ ...request, headers: {} }, response);
      await fails({ fault }, 'upstream_unreachable', /closed the connection/, { retries: 2 });
    });

    it('a body that ends early as if it were whole', async () => {
      const fault: Fault = (request, response) =>
        isEncoder(request) && reply(response, 200, { 'transfer-encoding': 'chunked' }, 'too short');
      await fails(
        { fault },
        'upstream_unreachable',
        /ended "onnx\/encoder.onnx" after 9 of 400000 bytes\..*the same command goes on/,
      );
    });

    it('a body that does not end', async () => {
      const fault: Fault = (request, response) =>
        isEncoder(request) && reply(response, 200, {}, 'y'.repeat(ENCODER_BYTES + 90_000));
      await fails({ fault }, 'upstream_answer', /came damaged twice: it has \d+ bytes, not 400000/);
    });

    it('a file with another hash, of large ones and of small ones', async () => {
      const size = smallBundle().get('manifest.json')?.length ?? 0;
      const manifest: Fault = ({ url }, response) =>
        url.endsWith('manifest.json') && reply(response, 200, {}, ' '.repeat(size));
      await fails({ fault: manifest }, 'upstream_answer', /"manifest.json".*another git-sha1 hash.*deleted/);
      assert.deepEqual(await readdir(staging()), []);
      const encoder: Fault = (request, response) =>
        isEncoder(request) && reply(response, 200, {}, 'x'.repeat(ENCODER_BYTES));
      await fails(
        { fault: encoder },
        'upstream_answer',
        /"onnx\/encoder.onnx".*damaged twice.*proxy on the way/,
      );
      assert.deepEqual(await readdir(join(staging(), 'onnx')), []);
    });

    it('a mirror whose own headers tell of another file', async () => {
      const fault: Fault = ({ server, url }, response) => {
        if (server !== 'hub' || !url.endsWith('/head.json')) return false;
        const head = smallBundle().get('head.json') ?? Buffer.alloc(0);
        return reply(response, 200, { etag: `"${gitSha1(Buffer.from('another'))}"` }, head.toString());
      };
      await fails({ fault, blobs: false }, 'upstream_answer', /"head.json".*another git-sha1 hash/);
    });

    for (const [what, status, headers, options, message] of [
      ['401 without a token', 401, {}, {}, /private, or there is no such.*HF_TOKEN/],
      ['401 with a token', 401, {}, { token: 'hf_wrong' }, /token in HF_TOKEN or in the token file is not/],
      ['403 with a token', 403, {}, { token: 'hf_wrong' }, /has no right to read it/],
      ['a gated repository', 403, { 'x-error-code': 'GatedRepo' }, { token: 'a' }, /Accept them on its page/],
      ['404', 404, {}, {}, /there is no repository "someone\/a-bundle", or no revision "main"/],
      ['a teapot', 418, {}, {}, /refused \(418\).*HF_ENDPOINT/],
    ] as const) {
      it(`${what} says what to do`, async () => {
        const text = await fails(
          { fault: (_, response) => reply(response, status, headers) },
          'upstream_answer',
          message,
          options,
        );
        assert.doesNotMatch(text, /hf_wrong/);
      });
    }

    it('a repository or a revision that is not there', async () => {
      const hub = await ground.hub();
      await assert.rejects(ground.pull(hub.url, { name: 'someone/else' }), /no repository "someone\/else"/);
      await assert.rejects(ground.pull(hub.url, { name: `${REPOSITORY}@v9` }), /has no revision "v9"/);
    });

    it('a file that the list names and the server does not have', async () => {
      const fault: Fault = ({ server, url }, response) =>
        server === 'hub' &&
        url.endsWith('golden.json') &&
        reply(response, 404, { 'x-error-code': 'EntryNotFound' });
      await fails({ fault }, 'upstream_answer', /has no file "golden.json" at revision "0123456789/);
    });

    it('a web page instead of the list, or instead of a file', async () => {
      const page = '<!doctype html><title>Log in</title>';
      const html = { 'content-type': 'text/html; charset=utf-8' };
      await fails(
        { fault: (_, response) => reply(response, 200, html, page) },
        'upstream_answer',
        /web page.*JSON/,
      );
      await fails(
        { fault: (_, response) => reply(response, 200, {}, page) },
        'upstream_answer',
        /login page/,
      );
      const fault: Fault = (request, response) => isEncoder(request) && reply(response, 200, html, page);
      await fails({ fault }, 'upstream_answer', /web page where the file "onnx\/encoder.onnx" was expected/);
    });

    it('an endpoint that answers JSON of its own', async () => {
      const fault: Fault = (_, response) => reply(response, 200, {}, '{"cluster_name":"x"}');
      await fails({ fault }, 'upstream_answer', /does not answer as a Hub does.*HF_ENDPOINT/);
    });

    it('an endpoint where nobody listens', async () => {
      await assert.rejects(
        ground.pull('http://127.0.0.1:1'),
        /127\.0\.0\.1:1 cannot be reached.*ECONNREFUSED/,
      );
    });

    it('an endpoint that is gone since an earlier pull names the copy', async () => {
      const hub = await ground.hub();
      await ground.pull(hub.url);
      await assert.rejects(ground.pull('http://127.0.0.1:1'), /ECONNREFUSED.*--offline/);
    });

    it('redirects without an end, or to what is not http', async () => {
      const loop: Fault = ({ url }, response) => reply(response, 302, { location: url });
      await fails({ fault: loop }, 'upstream_answer', /redirects more than 5 times/);
      const file: Fault = (_, response) => reply(response, 302, { location: 'file:///etc/passwd' });
      await fails({ fault: file }, 'upstream_answer', /only http: and https:/);
    });

    it('a list with a path that leads outside writes nothing', async () => {
      for (const rfilename of ['../../evil', '/etc/evil', 'a/../../evil', 'a\\..\\evil', '', 'C:/evil', 7]) {
        const info = (answer: RevisionAnswer): RevisionAnswer => {
          return { ...answer, siblings: [...answer.siblings, { rfilename }] };
        };
        await fails({ info }, 'upstream_answer', /would lie outside/);
      }
      assert.deepEqual(await readdir(ground.root), []);
    });

    it('a manifest with a path that leads outside', async () => {
      const files = smallBundle();
      const text = String(files.get('manifest.json')).replace('"head.json"', '"../head.json"');
      files.set('manifest.json', Buffer.from(text));
      await fails({ files }, 'bad_bundle', /manifest.json is not usable: .*inside the bundle's folder/);
    });

    it('a repository without a manifest says what it holds and what to do', async () => {
      const onnx = new Map(
        ['onnx/model.onnx', 'tokenizer.json', '1_Pooling/config.json', 'model.safetensors'].map(
          (path) => [path, Buffer.from(path)] as const,
        ),
      );
      const text = await fails({ files: onnx }, 'bad_bundle', /no manifest.json, but it holds/);
      for (const path of onnx.keys()) assert.ok(text.includes(path), text);
      assert.match(text, /scripts\/model/);
      const nothing = new Map([['data.csv', Buffer.from('a')]]);
      await fails({ files: nothing }, 'bad_bundle', /nothing that a bundle could be made of/);
    });

    it('a repository that does not fit its manifest', async () => {
      const missing = smallBundle();
      missing.delete('tokenizer.json');
      await fails({ files: missing }, 'bad_bundle', /names "tokenizer.json", which is not there/);
      const other = smallBundle();
      other.set(ENCODER, Buffer.alloc(ENCODER_BYTES, 1));
      await fails({ files: other }, 'bad_bundle', /another file than its manifest.json describes/);
    });

    it('files that are what the manifest says and still no bundle', async () => {
      const files = smallBundle();
      const head = files.get('head.json') ?? Buffer.alloc(0);
      const broken = Buffer.from(String(head).replace('"format": 1', '"format": 9'));
      files.set('head.json', broken);
      const manifest = String(files.get('manifest.json')).replace(sha256(head), sha256(broken));
      files.set('manifest.json', Buffer.from(manifest));
      await fails({ files }, 'bad_bundle', /was deleted.*head.json is not usable/);
      await assert.rejects(stat(staging()));
    });

    it('a bundle that is larger than the disk', async () => {
      const files = smallBundle();
      const manifest = String(files.get('manifest.json')).replace(
        `"bytes": ${ENCODER_BYTES}`,
        '"bytes": 900000000000000',
      );
      files.set('manifest.json', Buffer.from(manifest));
      const text = await fails({ files, blobs: false }, 'no_space', /has room for \d+ MB.*TWINRANK_CACHE/);
      assert.match(text, /85\d{7} MB are needed/);
    });

    it('a cache that is a file', async () => {
      await mkdir(ground.root, { recursive: true });
      await writeFile(join(ground.root, 'someone--a-bundle'), 'a file');
      const hub = await ground.hub();
      await assert.rejects(ground.pull(hub.url), /cannot be written.*--cache/);
      assert.equal(await readFile(join(ground.root, 'someone--a-bundle'), 'utf8'), 'a file');
    });
  });
});
