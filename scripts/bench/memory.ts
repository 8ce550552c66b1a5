/**
 * Does memory stay flat while a large body passes through? A source and sink of node:http stands in for the engine;
 * the service runs as a process of its own, whose resident memory is sampled. Bar: growth below 150 MB.
 */
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startService } from '../services.js';
import { NEVER } from './bench-run.js';
import { watchMemory } from './process-watch.js';

const MB = 1024 * 1024;
const BAR_MB = 150;

export interface MemoryResult {
  readonly service: string;
  readonly direction: 'up' | 'down';
  readonly bytes: number;
  readonly idleMb: number;
  readonly peakMb: number;
  readonly seconds: number;
}

/** Sends `bytes` each way through both services and watches their resident memory (Linux only). */
export async function measureMemory(bytes: number): Promise<MemoryResult[]> {
  const upstream = await sourceAndSink(bytes);
  const results: MemoryResult[] = [];
  try {
    const address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    for (const name of ['rerank', 'ingest'] as const) {
      const service = await startService(name, ['--upstream', address], NEVER);
      try {
        for (const direction of ['up', 'down'] as const) {
          const watch = await watchMemory(service.pid);
          const started = performance.now();
          const passed = direction === 'up' ? await sendUp(service.url, bytes) : await readDown(service.url);
          const seconds = (performance.now() - started) / 1000;
          const { idleMb, peakMb } = watch.stop();
          if (passed !== bytes)
            throw new Error(`${passed} of ${bytes} bytes came through ${name} ${direction}.`);
          results.push({ service: name, direction, bytes, idleMb, peakMb, seconds });
        }
      } finally {
        await service.stop();
      }
    }
  } finally {
    upstream.closeAllConnections();
    upstream.close();
  }
  return results;
}

/** The benchmark: 2 GB each way. */
export async function memory(output: NodeJS.WritableStream): Promise<boolean> {
  const results = await measureMemory(2048 * MB);
  for (const { service, direction, bytes, idleMb, peakMb, seconds } of results)
    output.write(
      `${service.padEnd(8)} ${direction.padEnd(5)} ${(bytes / MB).toFixed(0)} MB in ${seconds.toFixed(1)} s (${(bytes / MB / seconds).toFixed(0)} MB/s): idle ${idleMb.toFixed(0)} MB, peak ${peakMb.toFixed(0)} MB, growth ${(peakMb - idleMb).toFixed(0)} MB\n`,
    );
  const met = results.every(({ idleMb, peakMb }) => peakMb - idleMb < BAR_MB);
  output.write(`Bar: growth below ${BAR_MB} MB: ${met ? 'met' : 'NOT met'}\n`);
  return met;
}

/** Answers a GET with that many bytes, and any other request with the number of bytes that came. */
async function sourceAndSink(bytes: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
      pipeline(zeros(bytes), response).catch(() => undefined);
      return;
    }
    let received = 0;
    request.on('data', (chunk: Buffer) => (received += chunk.length));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ received }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

function zeros(bytes: number): Readable {
  const chunk = Buffer.alloc(64 * 1024);
  let left = bytes;
  return new Readable({
    read() {
      if (left === 0) {
        this.push(null);
        return;
      }
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(chunk.subarray(0, size));
    },
  });
}

/** Bytes that the upstream says it got. */
function sendUp(url: string, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': bytes };
    const request = httpRequest(new URL('/_snapshot/upload', url), { method: 'PUT', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve((JSON.parse(text) as { received: number }).received));
      response.on('error', reject);
    });
    pipeline(zeros(bytes), request).catch(reject);
  });
}

function readDown(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const count = new Writable({
      write(chunk: Buffer, _encoding, done) {
        received += chunk.length;
        done();
      },
    });
    httpRequest(new URL('/_snapshot/download', url), (response) => {
      pipeline(response, count).then(() => resolve(received), reject);
    })
      .on('error', reject)
      .end();
  });
}
