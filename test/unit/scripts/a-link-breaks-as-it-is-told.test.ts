import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLink, type Link } from '../../../scripts/chaos/link.js';
import { opened } from '../http/wire.js';

describe('a breakable link', () => {
  it('passes bytes both ways and leads new connections elsewhere when told to', async () => {
    const first = await echo('first: ');
    const second = await echo('second: ');
    const link = await linkTo(first.port);
    const before = await dial(link);
    assert.equal(await ask(before, 'a'), 'first: a');
    link.lead(second.port);
    assert.equal(await ask(await dial(link), 'b'), 'second: b');
    assert.equal(await ask(before, 'c'), 'c');
  });

  it('closes both sides when it is cut, and takes new connections', async () => {
    const target = await echo('');
    const link = await linkTo(target.port);
    const socket = await dial(link);
    await ask(socket, 'a');
    link.cut();
    await ended(socket);
    await ended(target.sockets[0]);
    assert.equal(await ask(await dial(link), 'b'), 'b');
  });

  it('cuts after so many bytes of a request, which the target never has whole', async () => {
    const target = await echo('');
    const link = await linkTo(target.port);
    const socket = await dial(link);
    link.cutAfter('up', 3);
    socket.write('abcdef');
    await ended(socket);
    await ended(target.sockets[0]);
    assert.equal(target.received(), 'abc');
  });

  it('cuts after so many bytes of an answer, when the target has the request', async () => {
    const target = await echo('');
    const link = await linkTo(target.port);
    const socket = await dial(link);
    link.cutAfter('down', 3);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.write('abcdef');
    await ended(socket);
    assert.equal(answer, 'abc');
    assert.equal(target.received(), 'abcdef');
  });

  it('holds everything while it is stalled, and delivers it afterwards', async () => {
    const target = await echo('');
    const link = await linkTo(target.port);
    const socket = await dial(link);
    await ask(socket, 'a');
    link.stall();
    const answer = ask(socket, 'b');
    await sleep(100);
    assert.equal(target.received(), 'a');
    link.open();
    assert.equal(await answer, 'b');
  });

  it('does not deliver what was stalled when its sender has left meanwhile', async () => {
    const target = await echo('');
    const link = await linkTo(target.port);
    const socket = await dial(link);
    await ask(socket, 'a');
    link.stall();
    socket.end('too late');
    await ended(target.sockets[0]);
    link.open();
    await sleep(50);
    assert.equal(target.received(), 'a');
  });

  it('refuses until it is opened again', async () => {
    const target = await echo('');
    const link = await linkTo(target.port);
    link.refuse();
    await ended(dialing(link));
    assert.equal(target.sockets.length, 0);
    link.open();
    assert.equal(await ask(await dial(link), 'a'), 'a');
  });
});

/** A server that sends back what it gets; `greeting` stands before the first of it. */
async function echo(
  greeting: string,
): Promise<{ readonly port: number; readonly sockets: Socket[]; received(): string }> {
  const sockets: Socket[] = [];
  let received = '';
  const server = createServer((socket) => {
    let before = greeting;
    sockets.push(socket);
    socket.on('data', (chunk) => {
      received += chunk.toString();
      socket.write(before + chunk.toString());
      before = '';
    });
  });
  return { port: Number((await opened(server)).port), sockets, received: () => received };
}

async function linkTo(port: number): Promise<Link> {
  const link = await openLink(port);
  after(() => link.close());
  return link;
}

function dialing(link: Link): Socket {
  const socket = connect(Number(new URL(link.url).port), '127.0.0.1');
  after(() => socket.destroy());
  return socket.on('error', () => undefined).resume();
}

async function dial(link: Link): Promise<Socket> {
  const socket = dialing(link);
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

/** Resolves when the connection is closed, in whatever way. */
function ended(socket: Socket | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}
