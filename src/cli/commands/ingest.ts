/** `twinrank ingest`: the sidecar that adds vectors to documents on their way to the engine. */
import { createIngester, DEFAULT_INGEST_OPTIONS, type Ingester } from '../../ingest/app.js';
import { createCachedEncoder } from '../../model/vector-cache.js';
import type { Command } from '../command.js';
import { sparingly } from '../log.js';
import { addIngestMetrics } from '../metrics/ingest-metrics.js';
import { poolSize } from '../model-options.js';
import { integer, listenAddress, oneOf, type OptionTable } from '../options.js';
import { runService, SERVICE_OPTIONS } from '../service.js';

const OPTIONS = {
  ...SERVICE_OPTIONS,
  listen: {
    flag: 'listen',
    env: 'TWINRANK_LISTEN',
    help: 'Where to listen for writes.',
    default: '127.0.0.1:9201',
    parse: listenAddress,
  },
  onEncodeFailure: {
    flag: 'on-encode-failure',
    env: 'TWINRANK_ON_ENCODE_FAILURE',
    help: 'A document whose text cannot be encoded: reject it, or pass it on without a vector.',
    default: 'reject',
    parse: oneOf('reject', 'pass'),
  },
  clientVectors: {
    flag: 'client-vectors',
    env: 'TWINRANK_CLIENT_VECTORS',
    help: 'A vector that a client sends in a document: replace it, or keep that document as it is.',
    default: 'replace',
    parse: oneOf('replace', 'keep'),
  },
  cacheTitles: {
    flag: 'cache-titles',
    env: 'TWINRANK_CACHE_TITLES',
    help: 'How many texts are remembered with their vectors; 0 remembers none.',
    default: '20000',
    parse: integer(0, 10_000_000),
  },
  retryFor: {
    flag: 'retry-for',
    env: 'TWINRANK_RETRY_FOR',
    help: 'Milliseconds to try again what the engine refuses for now (429) or cannot be reached for; 0 never does.',
    default: '10000',
    parse: integer(0, 3_600_000),
  },
} satisfies OptionTable;

export const ingestCommand: Command<typeof OPTIONS> = {
  usage: 'ingest',
  summary: 'Run the ingest sidecar: point your writers at it instead of the engine.',
  options: OPTIONS,
  run: (values, _positionals, io) => {
    let ingester: Ingester | undefined;
    return runService(
      {
        name: 'ingest',
        values,
        poolSize: poolSize('document'),
        settingsPatienceMs: values.retryFor,
        // The model's queue is full whenever there is much to write; callers feel it only where they have to wait.
        queue: () => {
          const line = ingester?.bulkLine();
          return line && { waiting: line.waiting, limit: line.maxWaiting };
        },
        handler: ({ encoder, settings, log, observation }) => {
          const onLookUp = observation.encoder.onLookUp('title');
          ingester = createIngester(
            {
              encoder: createCachedEncoder(encoder, { maxTexts: values.cacheTitles, onLookUp }),
              settings,
              onProblem: sparingly(log, 'documents written without a vector'),
              observer: addIngestMetrics(observation.metrics, () => ingester?.bulkLine()),
            },
            {
              ...DEFAULT_INGEST_OPTIONS,
              onEncodeFailure: values.onEncodeFailure,
              clientVectors: values.clientVectors,
              retryForMs: values.retryFor,
            },
          );
          return Promise.resolve(ingester);
        },
      },
      io,
    );
  },
};
