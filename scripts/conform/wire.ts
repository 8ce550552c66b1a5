/**
 * HTTP/1.1 over a bare socket: writes the bytes it is given and reads answers as they are on the wire. No client
 * library stands between, so that nothing is mended or hidden.
 */
import { connect, type Socket } from 'node:net';

/** How the end of a body was marked (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** One answer as it came. */
export interface WireAnswer {
  /** Interim answers before it, such as `HTTP/1.1 100 Continue`, whole heads. */
  readonly interim: readonly string[];
  readonly statusLine: string;
  /** `Name: value` in wire order, latin1. */
  readonly headers: readonly string[];
  readonly framing: Framing;
  readonly body: Buffer;
}

/** What one connection gave. */
export interface Conversation {
  readonly answers: readonly WireAnswer[];
  /** True where the other side closed within the time that was waited for it. */
  readonly closed: boolean;
  /** Bytes that were no answer. */
  readonly rest: Buffer;
}

export interface ConverseOptions {
  readonly port: number;
  readonly host: string;
  /** Bytes in the pieces in which they are written; a number is a pause in milliseconds. */
  readonly pieces: readonly (Buffer | number)[];
  /** Method of each request, in order: an answer to HEAD has no body. Their number is that of the answers awaited. */
  readonly methods: readonly string[];
  /** How long to wait for the close after the last answer; 0 does not wait. */
  readonly closeWithinMs?: number;
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Opens a connection, writes, reads the answers and closes. Rejects where the answers do not come in time. */
export async function converse(options: ConverseOptions): Promise<Conversation> {
  const socket = connect({ host: options.host, port: options.port, noDelay: true });
  const incoming = collect(socket);
  try {
    const writing = write(socket, options.pieces);
    const answers: WireAnswer[] = [];
    const deadline = Date.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    let interim: string[] = [];
    while (answers.length < options.methods.length) {
      const parsed = parseAnswer(
        incoming.bytes(),
        options.methods[answers.length] ?? 'GET',
        incoming.ended(),
      );
      if (parsed === undefined) {
        if (incoming.ended()) break;
        if (!(await incoming.more(deadline)))
          throw new Error(
            `Only ${answers.length} of ${options.methods.length} answers came in time; so far: ${JSON.stringify(incoming.bytes().toString('latin1').slice(0, 300))}`,
          );
        continue;
      }
      incoming.drop(parsed.bytes);
      if (parsed.isInterim) interim.push(parsed.head);
      else {
        answers.push({ ...parsed.answer, interim });
        interim = [];
      }
    }
    await writing;
    const closeBy = Date.now() + (options.closeWithinMs ?? 0);
    while (!incoming.ended() && Date.now() < closeBy) await incoming.more(closeBy);
    return { answers, closed: incoming.ended(), rest: incoming.bytes() };
  } finally {
    socket.destroy();
  }
}

/** Writing stops where the other side has closed: its answer is what counts. */
async function write(socket: Socket, pieces: readonly (Buffer | number)[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    if (typeof piece === 'number') await new Promise((done) => setTimeout(done, piece));
    else await new Promise((done) => socket.write(piece, done));
  }
}

interface Incoming {
  bytes(): Buffer;
  drop(count: number): void;
  ended(): boolean;
  /** Resolves to true when something has come or the connection has ended, false when the time is over. */
  more(deadline: number): Promise<boolean>;
}

function collect(socket: Socket): Incoming {
  let chunks: Buffer[] = [];
  let ended = false;
  let wake = (): void => undefined;
  const end = (): void => {
    ended = true;
    wake();
  };
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    wake();
  });
  socket.on('end', end).on('close', end).on('error', end);
  const bytes = (): Buffer => {
    if (chunks.length !== 1) chunks = [Buffer.concat(chunks)];
    return chunks[0] ?? Buffer.alloc(0);
  };
  return {
    bytes,
    drop: (count) => {
      chunks = [bytes().subarray(count)];
    },
    ended: () => ended,
    more: (deadline) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), Math.max(0, deadline - Date.now()));
        wake = (): void => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
  };
}

type Parsed =
  | { readonly isInterim: true; readonly head: string; readonly bytes: number }
  | { readonly isInterim: false; readonly answer: Omit<WireAnswer, 'interim'>; readonly bytes: number };

/** The first answer in the bytes; undefined where it is not complete yet. */
function parseAnswer(bytes: Buffer, method: string, ended: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const [statusLine = '', ...headers] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new Error(`This is no status line: ${JSON.stringify(statusLine)}`);
  const start = headEnd + 4;
  if (status >= 100 && status < 200) return { isInterim: true, head, bytes: start };
  const done = (framing: Framing, body: Buffer, end: number): Parsed => ({
    isInterim: false,
    answer: { statusLine, headers, framing, body },
    bytes: end,
  });
  const none = Buffer.alloc(0);
  if (method === 'HEAD' || status === 204 || status === 304) return done('none', none, start);
  if (/\bchunked\b/i.test(valueOf(headers, 'transfer-encoding') ?? '')) {
    const chunked = readChunks(bytes, start);
    return chunked === undefined ? undefined : done('chunked', chunked.body, chunked.end);
  }
  const length = valueOf(headers, 'content-length');
  if (length === undefined) return ended ? done('close', bytes.subarray(start), bytes.length) : undefined;
  const end = start + Number(length);
  return bytes.length < end ? undefined : done('length', bytes.subarray(start, end), end);
}

function readChunks(
  bytes: Buffer,
  start: number,
): { readonly body: Buffer; readonly end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('The answer has a chunk without a size.');
    const from = lineEnd + 2;
    if (bytes.length < from + size + 2) return undefined;
    if (size === 0) {
      const trailerEnd =
        bytes.indexOf('\r\n', from) === from ? from + 2 : bytes.indexOf('\r\n\r\n', from) + 4;
      return trailerEnd < from ? undefined : { body: Buffer.concat(parts), end: trailerEnd };
    }
    parts.push(bytes.subarray(from, from + size));
    at = from + size + 2;
  }
}

/** Value of the first header of that name (lower case). */
export function valueOf(headers: readonly string[], name: string): string | undefined {
  const line = headers.find((header) => header.slice(0, header.indexOf(':')).toLowerCase() === name);
  return line?.slice(line.indexOf(':') + 1).trim();
}
