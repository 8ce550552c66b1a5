/** The items of a reply that is still being gathered, deflated: twenty clients' replies of 100 MB need little memory. */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The fastest level: items are so much alike that it finds nearly all. */
const LEVEL = 1;

export class HeldItems {
  readonly #held: Promise<Buffer>[] = [];
  #separator = Buffer.from(',');
  #bytes = 0;
  #items = 0;

  /** Bytes of all items with the separators between them. */
  get bytes(): number {
    return this.#bytes;
  }

  get items(): number {
    return this.#items;
  }

  /** Text between two items; to be set before the first is added. */
  set separator(text: string) {
    this.#separator = Buffer.from(text);
  }

  /** Adds items behind those that are there; their buffers may be let go when it resolves. */
  async add(items: readonly Buffer[]): Promise<void> {
    if (items.length === 0) return;
    const pieces: Buffer[] = [];
    for (const item of items) {
      if (this.#items++ > 0) pieces.push(this.#separator);
      pieces.push(item);
    }
    const joined = Buffer.concat(pieces);
    this.#bytes += joined.length;
    const held = deflate(joined, { level: LEVEL });
    this.#held.push(held);
    await held;
  }

  /** The text of all items, a piece at a time. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (const held of this.#held) yield await inflate(await held);
  }
}
