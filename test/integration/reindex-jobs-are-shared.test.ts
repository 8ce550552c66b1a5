/** `twinrank reindex` and `twinrank jobs` against the real engine with the real model, some as processes of their own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { jobsCommand } from '../../src/cli/commands/jobs.js';
import { mappingCommand } from '../../src/cli/commands/mapping.js';
import { reindexCommand } from '../../src/cli/commands/reindex.js';
import { TwinrankError } from '../../src/errors.js';
import { reindexFailureLine } from '../../src/ingest/reindex/failures.js';
import { runCommand, type Ran } from './support/captured-io.js';
import { startCli, type CliProcess } from './support/cli-process.js';
import { engineFixture } from './support/engine.js';

const engine = engineFixture();
const jobs: string[] = [];
const processes: CliProcess[] = [];
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinrank-reindex-'));
});
after(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  for (const job of jobs)
    await runCommand(jobsCommand, { to: engine.url, force: 'true' }, ['cancel', job]).catch(() => undefined);
  for (const job of jobs) await engine.call('DELETE', `/.twinrank-jobs/_doc/${job}`).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

type Line = Record<string, unknown>;

/** An index of so many documents without vectors, every tenth without text. */
async function made(documents: number, shards = 2): Promise<string> {
  const index = engine.index('reindex-jobs');
  await engine.call('PUT', `/${index}`, {
    settings: { number_of_shards: shards, number_of_replicas: 0 },
    mappings: { properties: { title: { type: 'text' } } },
  });
  await runCommand(mappingCommand, { to: engine.url, index }, ['apply']);
  const lines = Array.from({ length: documents }, (_, i) => {
    const source = i % 10 === 9 ? { n: i } : { title: `a short title, number ${i}`, n: i };
    return `{"index":{"_id":"${i}"}}\n${JSON.stringify(source)}\n`;
  });
  await engine.call('POST', `/${index}/_bulk?refresh=true`, lines.join(''));
  return index;
}

function flagsOf(index: string, more: Line = {}): Line {
  return { to: engine.url, index, json: 'true', workers: '1', 'slice-documents': '20', ...more };
}

function started(index: string, more: Line = {}): CliProcess {
  const args = Object.entries(flagsOf(index, more)).map(([flag, value]) => `--${flag}=${String(value)}`);
  const started = startCli(['reindex', ...args]);
  processes.push(started);
  return started;
}

async function reindexed(index: string, more: Line = {}): Promise<{ ran: Ran; job: Line; summary: Line }> {
  const ran = await runCommand(reindexCommand, flagsOf(index, more));
  return { ran, ...eventsOf(ran) };
}

function eventsOf({ stdout, stderr }: Ran): { job: Line; summary: Line } {
  const lines = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  const job = lines.find(({ event }) => event === 'job') ?? {};
  if (typeof job['job'] === 'string') jobs.push(job['job']);
  const summary =
    lines.find(({ event }) => event === 'summary') ?? assert.fail(`no summary: ${stdout} ${stderr}`);
  return { job, summary };
}

/** The job on this index as `jobs list` shows it, once it fits. */
async function listed(index: string, fits: (job: Line) => boolean): Promise<Line> {
  const until = Date.now() + 60_000;
  for (;;) {
    const { stdout } = await runCommand(jobsCommand, { to: engine.url, json: 'true' }, ['list']);
    const all = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
    const job = all.find((one) => one['index'] === index && fits(one));
    if (job !== undefined) {
      jobs.push(String(job['job']));
      return job;
    }
    if (Date.now() > until) return assert.fail(`no such job among ${stdout}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What a dry run finds: documents and how many of them want a vector. */
async function survey(index: string, more: Line = {}): Promise<Line> {
  const { stdout } = await runCommand(reindexCommand, flagsOf(index, { 'dry-run': 'true', ...more }));
  return JSON.parse(stdout) as Line;
}

async function allFresh(index: string, documents: number): Promise<void> {
  const found = await survey(index);
  assert.deepEqual(
    [found['documents'], found['to_encode'], found['no_text']],
    [documents, 0, Math.floor(documents / 10)],
  );
}

async function refused(work: Promise<unknown>, code: string): Promise<string> {
  const error: unknown = await work.then(
    () => assert.fail('expected an error'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TwinrankError, String(error));
  assert.equal(error.code, code, error.message);
  return error.message;
}

async function lastWrite(index: string): Promise<unknown> {
  const found = (await engine.call('POST', `/${index}/_search`, {
    size: 1,
    sort: [{ _seq_no: 'desc' }],
    seq_no_primary_term: true,
    _source: false,
  })) as { hits: { hits: unknown[] } };
  return found.hits.hits;
}

describe('twinrank reindex', () => {
  it('gives every document a fresh vector, and a second run ends with nothing to do', async () => {
    const index = await made(120);
    const first = await reindexed(index);
    assert.equal(first.ran.code, 0, first.ran.stderr);
    const { verified, documents, fresh, no_text, failed, written, pass } = first.summary;
    assert.deepEqual(
      { verified, documents, fresh, no_text, failed, written, pass },
      { verified: true, documents: 120, fresh: 108, no_text: 12, failed: 0, written: 108, pass: 2 },
    );
    await allFresh(index, 120);
    const before = await lastWrite(index);
    const second = await reindexed(index);
    assert.equal(second.ran.code, 0);
    assert.deepEqual([second.summary['written'], second.summary['pass'], second.job['run']], [0, 1, 2]);
    assert.deepEqual(await lastWrite(index), before);
  });

  it('does a dry run that writes nothing, no job either', async () => {
    const index = await made(60);
    const before = await lastWrite(index);
    const found = await survey(index);
    assert.deepEqual([found['documents'], found['to_encode'], found['no_text']], [60, 54, 6]);
    assert.equal((found['why'] as Line)['missing'], 54);
    assert.equal(found['sampled'], 54);
    assert.ok(Number(found['seconds']) > 0 && Number(found['bytes']) > 54 * 768);
    await engine.call('POST', `/${index}/_refresh`);
    assert.deepEqual(await lastWrite(index), before);
    const { stdout } = await runCommand(jobsCommand, { to: engine.url, json: 'true' }, ['list']);
    assert.ok(!stdout.includes(index));
    const dest = engine.index('reindex-dest');
    assert.equal((await survey(index, { dest }))['to_encode'], 54);
    await assert.rejects(engine.call('GET', `/${dest}`), /404/);
  });

  it('works on the documents of a failures file and on no others', async () => {
    const index = await made(40);
    const file = join(folder, 'only.jsonl');
    const names = ['3', '9', '17', 'not-there'];
    await writeFile(
      file,
      names
        .map((id) => reindexFailureLine({ index, id, routing: undefined, status: null, reason: 'r' }))
        .join(''),
    );
    const { ran, summary } = await reindexed(index, { only: file });
    assert.equal(ran.code, 0, ran.stderr);
    const { documents, written, no_text, vanished, failed } = summary;
    assert.deepEqual(
      { documents, written, no_text, vanished, failed },
      { documents: 4, written: 2, no_text: 1, vanished: 1, failed: 0 },
    );
    await engine.call('POST', `/${index}/_refresh`);
    assert.equal((await survey(index))['to_encode'], 34);
  });

  it('copies into a new index, swaps the alias, and leaves the old index closed to writes', async () => {
    const index = await made(50);
    const [dest, alias] = [engine.index('reindex-dest'), engine.index('reindex-alias')];
    await engine.call('POST', '/_aliases', { actions: [{ add: { index, alias } }] });
    const { ran, summary } = await reindexed(index, { dest, swap: alias });
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual([summary['verified'], summary['documents']], [true, 50]);
    assert.deepEqual(Object.keys((await engine.call('GET', `/_alias/${alias}`)) as object), [dest]);
    await allFresh(dest, 50);
    await assert.rejects(engine.call('PUT', `/${index}/_doc/late`, { title: 'late' }), /blocked/);
    await engine.call('PUT', `/${alias}/_doc/new`, { title: 'new' });
  });

  it('does not swap where documents fail, and leaves the source open to writes', async () => {
    const index = await made(30);
    const [dest, alias] = [engine.index('reindex-dest'), engine.index('reindex-alias')];
    await engine.call('POST', '/_aliases', { actions: [{ add: { index, alias } }] });
    await runCommand(mappingCommand, { to: engine.url, index: dest }, ['apply']);
    // A field that the new index cannot take.
    await engine.call('PUT', `/${dest}/_mapping`, { properties: { n: { type: 'boolean' } } });
    const file = join(folder, 'failed.jsonl');
    const { ran, summary } = await reindexed(index, { dest, swap: alias, failures: file });
    assert.equal(ran.code, 1);
    assert.deepEqual([summary['state'], summary['failed']], ['failed', 30]);
    assert.match(ran.stderr, /30 documents could not be given a fresh vector.*--failures/);
    await engine.call('PUT', `/${index}/_doc/later`, { title: 'later' });
    assert.deepEqual(Object.keys((await engine.call('GET', `/_alias/${alias}`)) as object), [index]);
  });
});

describe('A reindex job', () => {
  it('is shared by two processes that were given the same command', async () => {
    const index = await made(300);
    const slow = { 'docs-per-second': '40' };
    const both = [started(index, slow), started(index, slow)];
    const shared = await listed(index, ({ workers }) => (workers as string[]).length === 2);
    const ran = await Promise.all(both.map(({ ended }) => ended));
    for (const one of ran) {
      assert.equal(one.code, 0, one.stderr);
      const { summary } = eventsOf(one);
      assert.deepEqual([summary['job'], summary['run'], summary['written']], [shared['job'], 1, 270]);
    }
    await allFresh(index, 300);
  });

  it('goes on after its worker was killed: the slices are taken over when their lease has run out', async () => {
    const index = await made(200);
    const slow = started(index, { 'docs-per-second': '20', batch: '10' });
    const before = await listed(index, ({ documents }) => Number(documents) > 0);
    slow.child.kill('SIGKILL');
    assert.equal((await slow.ended).code, -1);
    const heir = await reindexed(index, { lease: '1500' });
    assert.equal(heir.ran.code, 0, heir.ran.stderr);
    assert.deepEqual([heir.job['job'], heir.job['resumed'], heir.job['run']], [before['job'], true, 1]);
    assert.deepEqual([heir.summary['documents'], heir.summary['failed']], [200, 0]);
    await allFresh(index, 200);
  });

  it('goes on at once after its worker was stopped in good order', async () => {
    const index = await made(200);
    const slow = started(index, { 'docs-per-second': '20', batch: '10' });
    await listed(index, ({ documents }) => Number(documents) > 0);
    slow.child.kill('SIGTERM');
    const ran = await slow.ended;
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /^Stopped\. The job \S+ goes on where it stands with the same command/m);
    const { workers } = await listed(index, () => true);
    assert.deepEqual(workers, [], 'no slice is held any more');
    // With a lease of an hour, only what was given back can be claimed.
    const heir = await reindexed(index, { lease: '3600000' });
    assert.equal(heir.ran.code, 0, heir.ran.stderr);
    assert.equal(heir.job['resumed'], true);
    await allFresh(index, 200);
  });

  it('stops on all machines when it is cancelled, and begins anew with the next command', async () => {
    const index = await made(200);
    const slow = started(index, { 'docs-per-second': '10', batch: '10' });
    const { job } = await listed(index, ({ documents }) => Number(documents) > 0);
    const cancelled = await runCommand(jobsCommand, { to: engine.url }, ['cancel', String(job)]);
    assert.equal(cancelled.code, 0);
    const ran = await slow.ended;
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, new RegExp(`The job ${String(job)} was cancelled`));
    const again = await runCommand(jobsCommand, { to: engine.url }, ['cancel', String(job)]);
    assert.match(again.stdout, /is cancelled already/);
    const next = await reindexed(index);
    assert.deepEqual([next.ran.code, next.job['run'], next.job['resumed']], [0, 2, false]);
  });

  it('that was edited by hand is refused by the name of the key, and deleted by force', async () => {
    const index = await made(20);
    const { job } = await reindexed(index);
    const id = String(job['job']);
    const path = `/.twinrank-jobs/_doc/${id}`;
    const { _source } = (await engine.call('GET', path)) as { _source: { body: Line } };
    await engine.call('PUT', path, { ..._source, body: { ..._source.body, passs: 3 } });
    const message = await refused(reindexed(index), 'bad_job');
    assert.match(message, new RegExp(`"${id}".*"passs".*twinrank jobs cancel ${id} --force`));
    const list = await runCommand(jobsCommand, { to: engine.url }, ['list']);
    assert.match(list.stdout, new RegExp(`${id}.*unreadable`));
    await refused(runCommand(jobsCommand, { to: engine.url }, ['cancel', id]), 'bad_job');
    const forced = await runCommand(jobsCommand, { to: engine.url, force: 'true' }, ['cancel', id]);
    assert.match(forced.stdout, /is deleted/);
    assert.equal((await reindexed(index)).ran.code, 0);
  });

  it('is shown with its passes', async () => {
    const index = await made(20);
    const { job } = await reindexed(index);
    const shown = await runCommand(jobsCommand, { to: engine.url }, ['show', String(job['job'])]);
    assert.match(shown.stdout, /state +done/);
    assert.match(shown.stdout, /│ +1 │ +20 │ +0 │ +18 │ +2 │ +0 │/);
    await refused(runCommand(jobsCommand, { to: engine.url }, ['show', 'no-such-job']), 'bad_config');
  });
});
