/** What passes through is the same on both wires: request line, headers, body, status, whatever they hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { converse, httpUpstream, rawUpstream, serviceOver, Wire } from './wire.js';

/** Header lines of a message's head, without the first line. */
const headerLines = (message: string): string[] => message.split('\r\n\r\n')[0]?.split('\r\n').slice(1) ?? [];
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('a request on its way', () => {
  it('keeps target, header order, case, duplicates and bytes beyond ASCII', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (text.includes('\r\n\r\n')) socket.write(OK);
    });
    const { port } = await serviceOver(upstream.url);
    const target = '/%69/_doc/a%2Fb?q=a+b&c=%20&&d';
    const wire = new Wire(port).write(
      `GET ${target} HTTP/1.1\r\nX-Zed: 1\r\nHost: proxy\r\nx-A: \xe9\xff caf\xc3\xa9\r\nX-ZED: 2\r\nAuthorization: Basic dTpw\r\n\r\n`,
    );
    await wire.until(/ok$/);
    wire.end();
    const [sent = ''] = upstream.received;
    assert.ok(sent.startsWith(`GET ${target} HTTP/1.1\r\n`), sent);
    const lines = headerLines(sent).filter((line) => !/^(host|connection):/i.test(line));
    assert.deepEqual(lines, [
      'X-Zed: 1',
      'x-A: \xe9\xff caf\xc3\xa9',
      'X-ZED: 2',
      'Authorization: Basic dTpw',
    ]);
    assert.match(sent, new RegExp(`\r\nhost: ${upstream.url.host}\r\n`, 'i'));
  });

  it('keeps body bytes with a length and in chunks', async () => {
    const bodies: string[] = [];
    const upstream = await httpUpstream((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(`${request.method} ${Buffer.concat(chunks).toString('latin1')}`);
        response.end('ok');
      });
    });
    const { port } = await serviceOver(upstream);
    const head = 'Host: x\r\nConnection: close\r\n';
    await converse(port, `PUT /a HTTP/1.1\r\n${head}Content-Length: 4\r\n\r\n\x00\xff\r\n`);
    await converse(
      port,
      `POST /a HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\n\xfe\n\r\n0\r\n\r\n`,
    );
    await converse(port, `GET /a HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\n{}`);
    await converse(port, `DELETE /a HTTP/1.1\r\n${head}\r\n`);
    assert.deepEqual(bodies, ['PUT \x00\xff\r\n', 'POST abc\xfe\n', 'GET {}', 'DELETE ']);
  });

  it('is told to go on where it expects that', async () => {
    const upstream = await httpUpstream((request, response) => request.pipe(response));
    const { port } = await serviceOver(upstream);
    const wire = new Wire(port).write(
      'PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    await wire.until(/^HTTP\/1.1 100 Continue\r\n\r\n/);
    await wire.write('abc').until(/abc/);
    wire.end();
  });

  it('never reaches another host, in whatever form its target is', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (text.includes('\r\n\r\n')) socket.write(OK);
    });
    const other = await rawUpstream(() => assert.fail('the other host was reached'));
    const { port } = await serviceOver(upstream.url);
    for (const target of [`http://${other.url.host}/a`, `//${other.url.host}/a`, `/a?@${other.url.host}`]) {
      const wire = new Wire(port).write(`GET ${target} HTTP/1.1\r\nHost: ${other.url.host}\r\n\r\n`);
      await wire.until(/ok$/);
      wire.end();
    }
    const lines = upstream.received.map((text) => text.split(' HTTP/1.1')[0]);
    assert.deepEqual(lines, ['GET /a', `GET //${other.url.host}/a`, `GET /a?@${other.url.host}`]);
    assert.equal(await converse(port, `CONNECT ${other.url.host} HTTP/1.1\r\nHost: x\r\n\r\n`), '');
    assert.deepEqual(other.received, []);
  });
});

describe('an answer on its way', () => {
  it('keeps status line, header order, case, duplicates and bytes beyond ASCII, and gets none added', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (text.endsWith('\r\n\r\n'))
        socket.write(
          'HTTP/1.1 299 Odd But True\r\nX-Zed: 1\r\nwarning: 299 "\xe9"\r\nWarning: 2\r\nContent-Length: 3\r\nx-zed: \xc3\xa9\r\n\r\n\x00\xffx',
        );
    });
    const { port } = await serviceOver(upstream.url);
    const wire = new Wire(port);
    for (let i = 1; i <= 2; i++) {
      wire.received = '';
      await wire.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n').until(/\r\n\r\n...$/s);
      assert.equal(
        wire.received,
        'HTTP/1.1 299 Odd But True\r\nX-Zed: 1\r\nwarning: 299 "\xe9"\r\nWarning: 2\r\nContent-Length: 3\r\nx-zed: \xc3\xa9\r\n\r\n\x00\xffx',
      );
    }
    assert.ok(!wire.socket.destroyed, 'the connection stays open');
    wire.end();
  });

  it('keeps the upstream’s Date and closes where the client asked for it', async () => {
    const upstream = await rawUpstream((text, socket) => {
      if (text.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 0\r\n\r\n');
    });
    const { port } = await serviceOver(upstream.url);
    const answer = await converse(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.deepEqual(headerLines(answer), ['Date: then', 'Content-Length: 0', 'Connection: close']);
    const old = await converse(port, 'GET / HTTP/1.0\r\n\r\n');
    assert.match(old, /^HTTP\/1.1 200 OK\r\n/);
  });

  it('without a body has none: HEAD, 204, 304', async () => {
    for (const [method, head] of [
      ['HEAD', '200 OK\r\nContent-Length: 1234\r\nX: y'],
      ['HEAD', '404 Not Found\r\nX: y'],
      ['GET', '204 No Content\r\nX: y'],
      ['GET', '304 Not Modified\r\nETag: "e"\r\nContent-Length: 12'],
    ] as const) {
      const upstream = await rawUpstream((text, socket) => {
        if (text.endsWith('\r\n\r\n')) socket.write(`HTTP/1.1 ${head}\r\n\r\n`);
      });
      const { port } = await serviceOver(upstream.url);
      const wire = new Wire(port).write(`${method} /a HTTP/1.1\r\nHost: x\r\n\r\n`);
      await wire.until(/\r\n\r\n/);
      // The next answer follows at once: nothing of a body stands between.
      await wire.write(`${method} /a HTTP/1.1\r\nHost: x\r\n\r\n`).until(/\r\n\r\n.*\r\n\r\n/s);
      assert.equal(wire.received, `HTTP/1.1 ${head}\r\n\r\n`.repeat(2));
      wire.end();
    }
  });

  it('in chunks or until close arrives whole', async () => {
    for (const text of [
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\n\xff\r\n0\r\n\r\n',
      'Connection: close\r\n\r\nabc\xff',
    ]) {
      const upstream = await rawUpstream((received, socket) => {
        if (!received.endsWith('\r\n\r\n')) return;
        socket.write(`HTTP/1.1 200 OK\r\n${text}`, 'latin1');
        if (text.startsWith('Connection')) socket.end();
      });
      const { port } = await serviceOver(upstream.url);
      const wire = new Wire(port).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await wire.until(/0\r\n\r\n$/);
      assert.equal(
        wire.received
          .split('\r\n\r\n')[1]
          ?.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '')
          .replace(/\r\n0$/, ''),
        'abc\xff',
      );
      wire.end();
    }
  });

  it('that is slow shows its head and each part at once', async () => {
    let more: (() => void) | undefined;
    const upstream = await httpUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders();
      more = () => response.write('part');
    });
    const { port } = await serviceOver(upstream);
    const wire = new Wire(port).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await wire.until(/\r\n\r\n/);
    more?.();
    await wire.until(/part/);
    wire.end();
  });
});
