/**
 * A TCP connection that can be broken on purpose: it listens on a port of its own and forwards bytes to a target,
 * until told to cut, stall or refuse, or to cut after so many bytes in one direction. A cut on the way up loses a
 * request before the target has it whole, a cut on the way down loses the answer after the work was done.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** `up` is from whoever connects towards the target. */
export type Direction = 'up' | 'down';

export interface Link {
  readonly url: string;
  /** Where connections that come from now on lead. */
  lead(port: number): void;
  /** Closes all connections, on both sides, with whatever is on its way. */
  cut(): void;
  /** Passes that many more bytes in the direction, over all connections together, then cuts. */
  cutAfter(direction: Direction, bytes: number): void;
  /** Forwards nothing, but holds the connections and takes new ones, until {@link Link.open}. */
  stall(): void;
  /** Closes all connections and every new one, until {@link Link.open}. */
  refuse(): void;
  /** Forwards again, and forgets a cut that has not come yet. What one side sent before it left is not delivered. */
  open(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** What came while the link was stalled, in order. */
  readonly held: { readonly direction: Direction; readonly chunk: Buffer }[];
}

/** Opens a link on a free loopback port. */
export async function openLink(target: number): Promise<Link> {
  const pairs = new Set<Pair>();
  let port = target;
  let mode: 'open' | 'stalled' | 'refusing' = 'open';
  const budget: Record<Direction, number> = { up: Infinity, down: Infinity };

  const drop = (pair: Pair): void => {
    // Not resetAndDestroy: it sends first what waits, and leaks the socket where the other side ends meanwhile.
    pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  };
  const cut = (): void => {
    for (const pair of [...pairs]) drop(pair);
  };
  const pass = (pair: Pair, direction: Direction, chunk: Buffer): void => {
    if (mode === 'stalled') {
      // Read on, so that it is seen when a side leaves.
      pair.held.push({ direction, chunk });
      return;
    }
    const [from, to] = direction === 'up' ? [pair.near, pair.far] : [pair.far, pair.near];
    const left = budget[direction];
    if (chunk.length < left) {
      budget[direction] = left - chunk.length;
      if (!to.write(chunk)) from.pause();
      return;
    }
    budget[direction] = Infinity;
    from.pause();
    to.write(chunk.subarray(0, left), cut);
  };
  const forward = (pair: Pair, direction: Direction): void => {
    const [from, to] = direction === 'up' ? [pair.near, pair.far] : [pair.far, pair.near];
    from.on('data', (chunk: Buffer) => pass(pair, direction, chunk));
    to.on('drain', () => from.resume());
    from.on('end', () => {
      // What waits here for a side that has left would be delivered late, behind what it sends again elsewhere.
      if (mode === 'stalled') drop(pair);
      else to.end();
    });
    from.on('error', () => drop(pair));
    from.on('close', () => {
      if (!from.readableEnded) drop(pair);
      else if (to.destroyed) pairs.delete(pair);
    });
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    if (mode === 'refusing') {
      near.destroy();
      return;
    }
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair: Pair = { near, far, held: [] };
    pairs.add(pair);
    forward(pair, 'up');
    forward(pair, 'down');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(next) {
      port = next;
    },
    cut,
    cutAfter(direction, bytes) {
      budget[direction] = bytes;
    },
    stall() {
      mode = 'stalled';
    },
    refuse() {
      mode = 'refusing';
      cut();
    },
    open() {
      mode = 'open';
      budget.up = Infinity;
      budget.down = Infinity;
      for (const pair of pairs) {
        for (const { direction, chunk } of pair.held.splice(0)) pass(pair, direction, chunk);
      }
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
