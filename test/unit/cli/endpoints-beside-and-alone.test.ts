/** `twinrank serve`, and the same endpoints beside the proxy: they start, answer, and end when told. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const PROGRAM = new URL('../../../src/cli/main.js', import.meta.url).pathname;
const SMALL = ['--workers', '1', '--threads-per-worker', '1', '--log-level', 'error'];

/** Runs the program until the work is done, then ends it; the exit code. */
async function whileRunning(
  args: readonly string[],
  work: (addressAfter: (words: string) => string) => Promise<void>,
): Promise<unknown> {
  const child = spawn(process.execPath, [PROGRAM, ...args, ...SMALL], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  const ended = once(child, 'close');
  try {
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    await work((words) => new RegExp(`${words} (http://\\S+?)(,|\\s|$)`).exec(line)?.[1] ?? line);
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = (await ended) as [unknown];
  return code;
}

describe('the endpoints', () => {
  let folder: string;
  let keys: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twinrank-keys-'));
    keys = join(folder, 'keys');
    await writeFile(keys, 'sesame\n');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const rerank = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/v1/rerank`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: 'refund', documents: ['phone', 'money back'] }),
    });

  it('are served alone, without an engine', async () => {
    const args = ['serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--max-texts', '2'];
    const code = await whileRunning(args, async (addressAfter) => {
      const url = addressAfter('listening on');
      const response = await rerank(url);
      assert.equal(response.status, 200);
      const { results } = (await response.json()) as { results: { index: number }[] };
      assert.deepEqual(
        results.map(({ index }) => index),
        [1, 0],
      );
      const info = (await (await fetch(`${url}/info`)).json()) as { max_client_batch_size: number };
      assert.equal(info.max_client_batch_size, 2);
      assert.equal((await fetch(`${addressAfter('admin on')}/health/ready`)).status, 200);
    });
    assert.equal(code, 0);
  });

  it('are served beside the proxy, on an address and with keys of their own', async () => {
    const args = ['rerank', '--upstream', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0'];
    const models = ['--models-listen', '127.0.0.1:0', '--models-api-key-file', keys];
    const code = await whileRunning([...args, ...models], async (addressAfter) => {
      const url = addressAfter('models on');
      assert.equal((await rerank(url)).status, 401);
      assert.equal((await rerank(url, { authorization: 'Bearer sesame' })).status, 200);
      // On the proxy's own address they are the engine's affair, as any other path.
      assert.equal((await rerank(addressAfter('listening on'))).status, 502);
    });
    assert.equal(code, 0);
  });
});
