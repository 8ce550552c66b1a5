/** One request over plain node:http, with nothing repeated: either an answer, or how it was lost. */
import { request as httpRequest, type Agent } from 'node:http';

export interface Sent {
  /** Milliseconds of Date.now(). */
  readonly began: number;
  /** When the whole request had left; undefined where it never did. */
  readonly left: number | undefined;
  readonly ended: number;
}

export interface Answered extends Sent {
  readonly kind: 'answered';
  readonly status: number;
  readonly text: string;
}

export interface Lost extends Sent {
  readonly kind: 'lost';
  /** False where nobody can have got anything of it. */
  readonly mayHaveArrived: boolean;
  readonly reason: string;
}

export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly type: string;
}

/** Never rejects. An answer that ends before its end counts as lost. */
export function sendOnce(
  url: string,
  agent: Agent,
  { method, path, body, type }: PlainRequest,
  limitMs: number,
): Promise<Answered | Lost> {
  const began = Date.now();
  let left: number | undefined;
  return new Promise((resolve) => {
    const lose = (error: NodeJS.ErrnoException): void => {
      clearTimeout(limit);
      const mayHaveArrived = error.code !== 'ECONNREFUSED';
      const reason = error.code ?? error.message;
      resolve({ kind: 'lost', mayHaveArrived, reason, began, left, ended: Date.now() });
    };
    const headers = {
      'content-length': String(Buffer.byteLength(body)),
      ...(body === '' ? {} : { 'content-type': type }),
    };
    const request = httpRequest(new URL(path, url), { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', lose);
      response.on('end', () => {
        clearTimeout(limit);
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ kind: 'answered', status: response.statusCode ?? 0, text, began, left, ended: Date.now() });
      });
    });
    const limit = setTimeout(() => request.destroy(new Error(`no answer in ${limitMs / 1000} s`)), limitMs);
    request.on('finish', () => (left = Date.now()));
    request.on('error', lose);
    request.end(body);
  });
}
