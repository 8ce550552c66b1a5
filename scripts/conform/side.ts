/** One side of the comparison: an address with index names of its own, all of one length. */
import { converse, type Conversation } from './wire.js';
import type { ConformCase } from './request.js';

export interface Side {
  readonly name: 'direct' | 'proxy' | 'sidecar';
  readonly url: URL;
  /** Prefix of the side's index names. */
  readonly prefix: string;
  /** What earlier answers of this side gave. */
  readonly kept: Map<string, string>;
}

const CLOSE_WITHIN_MS = 400;

/** Sends one case to a side. */
export async function sendTo(side: Side, one: ConformCase): Promise<Conversation> {
  const address = { host: side.url.hostname, port: Number(side.url.port) };
  if ('pieces' in one) {
    return converse({
      ...address,
      pieces: (side.name === 'direct' ? (one.direct ?? one.pieces) : one.pieces).map((piece) =>
        typeof piece === 'number'
          ? piece
          : Buffer.isBuffer(piece)
            ? piece
            : Buffer.from(filled(piece, side), 'latin1'),
      ),
      methods: one.methods,
      ...(one.watchClose === true ? { closeWithinMs: CLOSE_WITHIN_MS } : {}),
    });
  }
  const body = bodyOf(one.body, side);
  const headers = (one.headers ?? []).map((line) => filled(line, side));
  if (body !== undefined && !headers.some((line) => /^(content-length|transfer-encoding):/i.test(line)))
    headers.push(`Content-Length: ${body.length}`);
  const head = `${one.method} ${filled(one.target, side)} HTTP/1.1\r\nHost: ${side.url.host}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
  const answer = await converse({
    ...address,
    pieces: [Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)])],
    methods: [one.method],
  });
  const kept = one.keep?.pattern.exec(answer.answers[0]?.body.toString('latin1') ?? '')?.[1];
  if (one.keep !== undefined && kept !== undefined) side.kept.set(one.keep.name, kept);
  return answer;
}

function bodyOf(body: string | Buffer | undefined, side: Side): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(filled(body, side), 'utf8');
}

function filled(text: string, side: Side): string {
  return text.replace(/\{(i|host|[a-z]+_id)\}/g, (whole, name: string) =>
    name === 'i' ? side.prefix : name === 'host' ? side.url.host : (side.kept.get(name) ?? whole),
  );
}
