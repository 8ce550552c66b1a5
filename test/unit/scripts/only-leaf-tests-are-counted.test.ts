/** The tally is fed by real runs of node:test over files written for the purpose. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, run } from 'node:test';
import { summaryLine, Tally, type Counts } from '../../../scripts/test-run/tally.js';

describe('the count of tests', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'twinrank-tally-'))));
  after(async () => rm(folder, { recursive: true, force: true }));

  it('counts leaves of suites and of tests with subtests once', async () => {
    const counts = await count(`
      describe('a', () => { it('1', () => {}); describe('b', () => { it('2', () => {}); it('3', () => {}); }); });
      test('parent', async (t) => { await t.test('4', () => {}); await t.test('5', () => {}); });
      test('6', () => {});`);
    assert.deepEqual(counts, { passed: 6, failed: 0, skipped: 0 });
  });

  it('counts a failed leaf once, whatever it is nested in', async () => {
    const counts = await count(`
      describe('a', () => { describe('b', () => { it('bad', () => { throw new Error('x'); }); it('good', () => {}); }); });`);
    assert.deepEqual(counts, { passed: 1, failed: 1, skipped: 0 });
  });

  it('counts skipped and to-do tests apart', async () => {
    const counts = await count(`it.skip('s', () => {}); it.todo('t'); it('good', () => {});`);
    assert.deepEqual(counts, { passed: 1, failed: 0, skipped: 2 });
  });

  it('counts a suite that is skipped as a whole once, and an empty one not at all', async () => {
    const counts = await count(`
      describe('a', { skip: 'why' }, () => { it('1', () => {}); it('2', () => {}); });
      describe('b', () => {});`);
    assert.deepEqual(counts, { passed: 0, failed: 0, skipped: 1 });
  });

  it('counts a hook that fails after its tests have passed', async () => {
    const counts = await count(`
      describe('a', () => { after(() => { throw new Error('x'); }); it('good', () => {}); });`);
    assert.deepEqual(counts, { passed: 1, failed: 1, skipped: 0 });
  });

  it('counts a file that crashes while loading as one failure', async () => {
    assert.deepEqual(await count(`throw new Error('x');`), { passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a file without a test as nothing', async () => {
    assert.deepEqual(await count(''), { passed: 0, failed: 0, skipped: 0 });
  });

  it('counts a file that hangs as a failure', async () => {
    const counts = await count(`it('hangs', () => new Promise((done) => setTimeout(done, 60_000)));`, 1_500);
    assert.equal(counts.failed > 0, true);
  });

  async function count(body: string, timeout = 30_000): Promise<Counts> {
    const file = join(folder, `case-${Math.random().toString(36).slice(2)}.test.mjs`);
    await writeFile(file, `import { after, describe, it, test } from 'node:test';\n${body}\n`);
    // A run inside a run would report to the outer one.
    const context = process.env['NODE_TEST_CONTEXT'];
    delete process.env['NODE_TEST_CONTEXT'];
    try {
      const tally = new Tally();
      const events = run({ files: [file], timeout });
      events.on('test:pass', (event) => tally.pass(event));
      events.on('test:fail', (event) => tally.fail(event));
      for await (const _event of events);
      return tally.counts;
    } finally {
      if (context !== undefined) process.env['NODE_TEST_CONTEXT'] = context;
    }
  }
});

describe('the last line', () => {
  it('names the skipped tests only where there are any', () => {
    assert.equal(summaryLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed');
    assert.equal(summaryLine({ passed: 3, failed: 1, skipped: 2 }), '3 passed, 1 failed, 2 skipped');
  });
});
