/** Back-pressure: what a slow side does not take is not piled up here. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { passThrough } from '../../../src/http/pass-through.js';
import { eventually, httpUpstream, rawUpstream, serviceOver, Wire } from './wire.js';

const SIZE = 64 * 1024 * 1024;
const PART = Buffer.alloc(64 * 1024, 'x');
/** Far below SIZE, above all stream and socket buffers on the way. */
const BOUND = 24 * 1024 * 1024;

describe('back-pressure', () => {
  it('a 64 MB answer to a reader that has stopped stays with the engine, and arrives whole in the end', async () => {
    let sent = 0;
    const upstream = await httpUpstream((_request, response) => {
      const send = (): void => {
        while (sent < SIZE) {
          sent += PART.length;
          if (!response.write(PART)) {
            response.once('drain', send);
            return;
          }
        }
        response.end();
      };
      response.writeHead(200, { 'content-length': SIZE });
      send();
    });
    let buffered = (): number => 0;
    const { port } = await serviceOver(upstream, (exchange) => {
      buffered = () => exchange.response.writableLength;
      return passThrough(exchange);
    });
    const wire = new Wire(port);
    wire.socket.removeAllListeners('data').pause();
    wire.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    let before = -1;
    await eventually(() => sent > 0, 'the first bytes');
    while (before !== sent) {
      before = sent;
      await sleep(50);
    }
    assert.ok(buffered() <= 1024 * 1024, `${buffered()} bytes wait in the service`);
    assert.ok(sent < BOUND, `${sent} bytes have left the engine`);
    let got = 0;
    wire.socket.on('data', (chunk: Buffer) => (got += chunk.length)).resume();
    await eventually(() => got > SIZE, 'the whole answer');
    wire.end();
  });

  it('a large body for an engine that does not read stays with the client', async () => {
    const upstream = await rawUpstream((_text, socket) => socket.pause());
    const { port } = await serviceOver(upstream.url);
    const wire = new Wire(port).write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${SIZE}\r\n\r\n`);
    let written = 0;
    const send = (): void => {
      while (written < SIZE) {
        written += PART.length;
        if (!wire.socket.write(PART)) {
          wire.socket.once('drain', send);
          return;
        }
      }
    };
    send();
    let before = -1;
    while (before !== written) {
      before = written;
      await sleep(50);
    }
    assert.ok(written < BOUND, `${written} bytes have left the client`);
    wire.end();
  });
});
