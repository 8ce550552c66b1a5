/** A plain client for benchmarks: keep-alive, no library, whole answers as text. */
import { Agent, request as httpRequest } from 'node:http';

/** Connections that are kept; destroy it at the end. */
export function benchAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 32 });
}

/** Sends one request and resolves to the answer's text. */
export function send(
  agent: Agent,
  url: string,
  method: string,
  path: string,
  body = '',
  type = 'application/json',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers =
      body === '' ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) };
    const request = httpRequest(new URL(path, url), { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8'))).on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Writes a bulk body; throws where an item of it was not written. */
export async function writeBulk(agent: Agent, url: string, index: string, body: string): Promise<void> {
  const answer = await send(agent, url, 'POST', `/${index}/_bulk`, body, 'application/x-ndjson');
  if (!answer.includes('"errors":false'))
    throw new Error(`A bulk body was not written whole: ${answer.slice(0, 500)}`);
}

/** The value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
