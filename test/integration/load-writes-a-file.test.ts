/** `twinrank load` against the real engine, without a sidecar between. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadCommand } from '../../src/cli/commands/load.js';
import { TwinrankError } from '../../src/errors.js';
import { runCommand } from './support/captured-io.js';
import type { Ran } from './support/captured-io.js';
import { engineFixture } from './support/engine.js';
import { rawRequest } from './support/raw-request.js';

const engine = engineFixture();
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-load-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

async function madeIndex(): Promise<string> {
  const index = engine.index('load');
  await engine.call('PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { dynamic: false, properties: { title: { type: 'text' }, count: { type: 'long' } } },
  });
  return index;
}

async function load(name: string, content: string | Buffer, flags: Record<string, string>): Promise<Ran> {
  const file = join(folder, name);
  await writeFile(file, content);
  return runCommand(loadCommand, { to: engine.url, ...flags }, [file]);
}

async function refused(work: Promise<unknown>): Promise<TwinrankError> {
  const error: unknown = await work.then(
    () => assert.fail('expected an error'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TwinrankError, String(error));
  return error;
}

async function count(index: string): Promise<number> {
  await engine.call('POST', `/${index}/_refresh`);
  return ((await engine.call('GET', `/${index}/_count`)) as { count: number }).count;
}

/** The source of a document as the engine gives it, byte for byte. */
async function sourceOf(index: string, id: string): Promise<string> {
  return (
    await rawRequest({ url: engine.url, method: 'GET', path: `/${index}/_source/${id}` })
  ).body.toString();
}

describe('twinrank load', () => {
  it('hands the bytes of a document on as they are, without its _id', async () => {
    const index = await madeIndex();
    const awkward = '"n": 9007199254740993, "x": 1.0, "z": -0.0, "s": "\\u00e9 输液"';
    const ran = await load('bytes.jsonl', `{"_id":"k 1", ${awkward}}\n{${awkward},"_id":2}`, { index });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, new RegExp(`^2 documents written to ${index}, 0 failed`));
    assert.equal(await sourceOf(index, 'k%201'), `{ ${awkward}}`);
    assert.equal(await sourceOf(index, '2'), `{${awkward}}`);
  });

  it('writes many batches at once, from a packed file, and can be repeated', async () => {
    const index = await madeIndex();
    const lines = Array.from({ length: 1203 }, (_, i) =>
      JSON.stringify({ _id: `d${i}`, title: `title ${i}` }),
    );
    const packed = gzipSync(lines.join('\r\n'));
    const flags = { index, 'batch-documents': '50', concurrency: '4' };
    for (let turn = 0; turn < 2; turn++) {
      const ran = await load('many.jsonl.gz', packed, flags);
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal(await count(index), 1203);
    }
  });

  it('takes CSV, and lets the engine make ids where there are none', async () => {
    const index = await madeIndex();
    const ran = await load('a.csv', 'title,count\r\n"one, ""quoted""",1\r\ntwo,\r\n', {
      index,
      json: 'true',
    });
    assert.equal(ran.code, 0, ran.stderr);
    const summary = JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    assert.equal(summary['event'], 'summary');
    assert.equal(summary['documents'], 2);
    assert.equal(await count(index), 2);
  });

  it('names what failed by line, goes on, and keeps it in a file that loads again', async () => {
    const index = await madeIndex();
    const content =
      '{"_id":"1","count":1}\n{"_id":"2",\n{"_id":"3","count":"many", "x": 1.0}\n{"_id":"4","count":4}\n';
    const failures = join(folder, 'failures.jsonl');
    const ran = await load('some.jsonl', content, { index, failures });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /some\.jsonl:2: it is not JSON/);
    assert.match(ran.stderr, /some\.jsonl:3: mapper_parsing_exception: .*count.*\(.*many/);
    assert.match(ran.stdout, /^2 documents written to .*, 2 failed/);
    assert.equal(await count(index), 2);

    const kept = (await readFile(failures, 'utf8')).trimEnd().split('\n');
    assert.equal(kept.length, 2);
    const other = engine.index('load');
    await engine.call('PUT', `/${other}`, {
      mappings: { dynamic: false, properties: { count: { type: 'keyword' } } },
    });
    const again = await runCommand(loadCommand, { to: engine.url, index: other }, [failures]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /:1: it is listed as malformed/);
    assert.equal(await sourceOf(other, '3'), '{"count":"many", "x": 1.0}');
  });

  it('tells only the first ten failures one by one', async () => {
    const index = await madeIndex();
    const ran = await load('ten.jsonl', Array.from({ length: 30 }, () => '[]').join('\n'), { index });
    assert.equal(ran.code, 1);
    assert.equal(ran.stderr.trimEnd().split('\n').length, 10);
    assert.match(ran.stdout, /0 documents written .* 30 failed.*--failures FILE/);
  });

  it('with --create refuses documents that exist', async () => {
    const index = await madeIndex();
    await load('one.jsonl', '{"_id":"1","title":"old"}\n', { index });
    const ran = await load('two.jsonl', '{"_id":"1","title":"new"}\n{"_id":"2","title":"new"}\n', {
      index,
      create: 'true',
    });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /two\.jsonl:1: version_conflict/);
    assert.equal(await sourceOf(index, '1'), '{"title":"old"}');
    assert.equal(await count(index), 2);
  });

  it('keeps the last of several documents with one id', async () => {
    const index = await madeIndex();
    const lines = Array.from({ length: 200 }, (_, i) => `{"_id":"d${i % 3}","count":${i}}`);
    const ran = await load('same.jsonl', lines.join('\n'), {
      index,
      concurrency: '8',
      'batch-documents': '7',
    });
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(
      await Promise.all([sourceOf(index, 'd0'), sourceOf(index, 'd1'), sourceOf(index, 'd2')]),
      ['{"count":198}', '{"count":199}', '{"count":197}'],
    );
  });

  it('refuses a missing file, an unknown kind, a missing index and a damaged archive', async () => {
    const index = await madeIndex();
    const flags = { to: engine.url, index };
    const missing = await refused(runCommand(loadCommand, flags, [join(folder, 'none.jsonl')]));
    assert.match(missing.message, /none\.jsonl: there is no such file/);
    assert.match((await refused(load('x.xml', '<a/>', { index }))).message, /unknown kind of file/);
    const name = engine.index('absent');
    const absent = await refused(load('x.jsonl', '{}', { index: name }));
    assert.equal(absent.code, 'bad_config');
    assert.match(absent.message, new RegExp(`no index "${name}".*mapping apply`));
    const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `{"_id":"${i * 7919}"}`).join('\n'));
    const damaged = await refused(load('cut.jsonl.gz', whole.subarray(0, whole.length / 2), { index }));
    assert.equal(damaged.code, 'bad_input_file');
    assert.match(damaged.message, /cut\.jsonl\.gz: the compressed file is damaged/);
    assert.match((await refused(load('not.jsonl.gz', '{"_id":"1"}', { index }))).message, /damaged/);
    assert.match((await refused(runCommand(loadCommand, flags, []))).message, /Give one file/);
    const same = join(folder, 'x.jsonl');
    assert.match(
      (await refused(runCommand(loadCommand, { ...flags, failures: same }, [same]))).message,
      /another name/,
    );
  });
});
