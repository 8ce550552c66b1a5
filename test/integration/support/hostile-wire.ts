/** Bytes on bare sockets for the hostile requests, and callers beside them whose answers must not change. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';

/** `{i}` in a piece stands for the index, `{decoy}` for a host that must see no connection, `{host}` for our own. */
export interface HostileRequest {
  readonly name: string;
  /** What is written, in this order; a number is a pause in milliseconds. */
  readonly pieces: readonly (string | Buffer | number)[];
  /** True where the framing is broken: no answer but 4xx, and the connection is closed. */
  readonly refused?: boolean;
  /** True where the client leaves (`destroy`) or closes its side (`end`) after the last piece. */
  readonly abandons?: boolean;
  readonly leave?: 'end' | 'destroy';
  /** An answer that is right though the engine itself gives another, with the reason beside it. */
  readonly also?: number;
  /** How long answers are waited for. */
  readonly waitMs?: number;
}

export interface HostileAnswer {
  readonly statuses: readonly number[];
  readonly closed: boolean;
  readonly text: string;
}

const QUIET_MS = 30;
const WAIT_MS = 3_000;

/** Writes, and reads until the other side closes or is quiet after an answer. */
export async function exchange(
  url: URL,
  request: HostileRequest,
  names: Readonly<Record<string, string>>,
  isEngine = false,
): Promise<HostileAnswer> {
  const socket = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true, noDelay: true });
  const chunks: Buffer[] = [];
  let closed = false;
  let lastData = 0;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    lastData = Date.now();
  });
  const end = (): void => {
    closed = true;
  };
  socket.on('end', end).on('close', end).on('error', end);
  for (const piece of request.pieces) {
    if (socket.destroyed) break;
    if (typeof piece === 'number') await sleep(piece);
    else await write(socket, Buffer.isBuffer(piece) ? piece : Buffer.from(fill(piece, url, names), 'latin1'));
  }
  if (request.leave === 'destroy') socket.destroy();
  if (request.leave === 'end') socket.end();
  const deadline = Date.now() + (request.waitMs ?? WAIT_MS);
  while (!closed && Date.now() < deadline) {
    const quiet = lastData > 0 && Date.now() - lastData > QUIET_MS;
    // Our refusal is followed by a close; other answers may be the last word.
    if (quiet && (isEngine || request.refused !== true)) break;
    await sleep(5);
  }
  socket.destroy();
  const text = Buffer.concat(chunks).toString('latin1');
  return { statuses: statusesIn(text), closed, text };
}

/** Final statuses of the answers; bodies of the engine hold no status lines. */
function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3}) ?[^\r\n]*\r\n/g)]
    .map((match) => Number(match[1]))
    .filter((status) => status >= 200);
}

function fill(text: string, url: URL, names: Readonly<Record<string, string>>): string {
  return text.replace(/\{(i|decoy|host)\}/g, (whole, name: string) =>
    name === 'host' ? url.host : (names[name] ?? whole),
  );
}

function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((done) => {
    // A peer that stops reading must not hold the test up.
    const timer = setTimeout(done, 5_000);
    const finish = (): void => {
      clearTimeout(timer);
      done();
    };
    socket.once('close', finish);
    socket.write(bytes, finish);
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** A caller on a keep-alive connection of its own that asks the same again and again. */
export interface Canary {
  /** Asks, and fails unless the answer is what it was at first. */
  sing(): Promise<void>;
  close(): void;
}

export async function canary(url: URL, path: string): Promise<Canary> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const ask = async (): Promise<string> => {
    received = '';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
    const deadline = Date.now() + 10_000;
    for (;;) {
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? NaN);
      if (head >= 0 && received.length >= head + 4 + length) return received;
      if (Date.now() > deadline || socket.destroyed)
        throw new Error(`Another caller got no answer, but: ${JSON.stringify(received)}`);
      await sleep(2);
    }
  };
  const first = await ask();
  assert.match(first, /^HTTP\/1\.1 200 /);
  return {
    sing: async () => {
      assert.equal(await ask(), first, "another caller's answer has changed");
    },
    close: () => {
      socket.destroy();
    },
  };
}
