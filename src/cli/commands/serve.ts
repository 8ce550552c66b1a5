/** `twinrank serve`: the model for other systems, without an engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, shutDown } from '../../http/listen.js';
import type { EncoderPool } from '../../model/encoder-pool.js';
import { QUERY_BATCH_TOKENS } from '../../model/pool-size.js';
import type { Command, CommandIo } from '../command.js';
import { aborted, identityOf, LISTENER_OPTIONS } from '../listener.js';
import { createLog } from '../log.js';
import {
  endpointOptions,
  readApiKeys,
  startModelEndpoints,
  type ModelEndpoints,
} from '../model-endpoints.js';
import { bundleOf, MODEL_OPTIONS, poolSize, startEncoder } from '../model-options.js';
import { observe } from '../observation.js';
import { listenAddress, type OptionTable, type OptionValues } from '../options.js';
import { modelCheck, stageCheck, type Stage } from '../readiness.js';
import { queueOf } from '../service.js';

const OPTIONS = {
  listen: {
    flag: 'listen',
    env: 'TWINRANK_LISTEN',
    help: 'Where to listen for requests.',
    default: '127.0.0.1:9203',
    parse: listenAddress,
  },
  ...endpointOptions(''),
  ...LISTENER_OPTIONS,
  ...MODEL_OPTIONS,
} satisfies OptionTable;

export const serveCommand: Command<typeof OPTIONS> = {
  usage: 'serve',
  summary: 'Serve the model to other systems: /v1/rerank, /v2/rerank, /rerank, /embed, /v1/embeddings.',
  options: OPTIONS,
  run: (values, _positionals, io) => run(values, io),
};

async function run(values: OptionValues<typeof OPTIONS>, io: CommandIo): Promise<number> {
  const identity = await identityOf(values);
  const apiKeys = await readApiKeys(values.apiKeyFile);
  const log = createLog('serve', values.logLevel);
  let encoder: EncoderPool | undefined;
  let endpoints: ModelEndpoints | undefined;
  let stage: Stage = 'starting';
  const observation = await observe({
    name: 'serve',
    values,
    log,
    checks: [stageCheck(() => stage), modelCheck(() => encoder)],
    stats: () => encoder?.stats(),
    queue: () => queueOf(encoder),
  });
  const { admin } = observation;
  try {
    const adminAddress = await listen(admin, values.admin);
    const bundle = await bundleOf(values);
    // Callers wait for these texts, so the threads yield to nobody, and queries wait for batches of documents.
    const size = { ...poolSize('document'), niceness: 0, batchTokensPerThread: QUERY_BATCH_TOKENS };
    encoder = await startEncoder(bundle, values, size, io.signal, observation.encoder.onBatch);
    const parts = { bundle, encoder, log, identity, observation };
    endpoints = await startModelEndpoints(values.listen, values, apiKeys, parts);
    stage = 'listening';
    log.info({ model: bundle.manifest.name, fingerprint: bundle.fingerprint }, 'listening');
    io.stdout.write(`twinrank serve: listening on ${endpoints.address}, admin on ${adminAddress}\n`);
    await aborted(io.signal);
    stage = 'draining';
    log.info({ delay_ms: values.drainDelay, grace_ms: values.grace }, 'draining');
    await sleep(values.drainDelay);
    return 0;
  } catch (error) {
    if (io.signal.aborted) return 0;
    throw error;
  } finally {
    await endpoints?.close(values.grace);
    await encoder?.close();
    observation.stop();
    await shutDown(admin, 0);
  }
}
