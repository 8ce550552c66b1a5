/** Entry of the token counter's thread: reads the tokeniser, then answers one request after the other. */
import { readFile } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import { IDENTITY_CHAR_MAP, parseCharMap } from './char-map.js';
import type { CountReply, CountRequest, CounterSetup } from './token-counter-protocol.js';
import { createTokenizer } from './tokenizer.js';

if (parentPort !== null) await serve(parentPort, workerData as CounterSetup);

async function serve(port: MessagePort, { paths, maxTokens, prefixes }: CounterSetup): Promise<void> {
  const charMap = paths.charMap === null ? IDENTITY_CHAR_MAP : parseCharMap(await readJson(paths.charMap));
  const tokenizer = createTokenizer(await readJson(paths.tokenizer), { maxTokens, charMap });
  port.on('message', ({ id, texts, kind }: CountRequest) => {
    const reply = (message: CountReply): void => port.postMessage(message);
    try {
      reply({ id, counts: texts.map((text) => tokenizer.encode(prefixes[kind] + text).length) });
    } catch (error) {
      reply({ id, message: error instanceof Error ? error.message : String(error) });
    }
  });
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
