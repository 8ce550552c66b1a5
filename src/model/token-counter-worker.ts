/** Entry of the token counter's thread: reads the tokeniser, then answers one request after the other. */
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import type { CountReply, CountRequest, CounterSetup } from './token-counter-protocol.js';
import { loadTokenizer } from './tokenizer-files.js';

if (parentPort !== null) await serve(parentPort, workerData as CounterSetup);

async function serve(port: MessagePort, { paths, maxTokens, prefixes }: CounterSetup): Promise<void> {
  const tokenizer = await loadTokenizer(paths, maxTokens);
  port.on('message', ({ id, texts, kind }: CountRequest) => {
    const reply = (message: CountReply): void => port.postMessage(message);
    try {
      reply({ id, counts: texts.map((text) => tokenizer.encode(prefixes[kind] + text).length) });
    } catch (error) {
      reply({ id, message: error instanceof Error ? error.message : String(error) });
    }
  });
}
