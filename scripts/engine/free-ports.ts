/** Whether a port is free, and ports that a process can be given again after it has been killed. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which Linux, macOS and Windows take ports for outgoing connections. */
const FIRST = 20_000;
const LAST = 32_000;

/**
 * That many loopback ports that nobody listens on. They lie below the range of the system's own choice, so that
 * no connection takes one of them while its process is down.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries > 1_000) throw new Error(`No ${count} free ports between ${FIRST} and ${LAST}.`);
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if ((await whyTaken(port)) === undefined) found.add(port);
  }
  return [...found];
}

/** Why a loopback port cannot be listened on; undefined where it is free. */
export async function whyTaken(port: number): Promise<NodeJS.ErrnoException | undefined> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  probe.close();
  await once(probe, 'close');
  return undefined;
}
