/** `twinrank rerank`: the search proxy. */
import { TwinrankError } from '../../errors.js';
import { createHead } from '../../model/head.js';
import { createCachedEncoder } from '../../model/vector-cache.js';
import { createPlayground } from '../../playground/app.js';
import { isLoopbackName } from '../../http/loopback.js';
import { createReranker } from '../../rerank/app.js';
import { DEFAULT_RERANK_OPTIONS, type RerankDeps, type RerankOptions } from '../../rerank/context.js';
import { warmUp } from '../../rerank/warm-up.js';
import type { ExchangeHandler } from '../../http/service.js';
import { MAX_WINDOW } from '../../search-engine/mapping-meta.js';
import type { Command } from '../command.js';
import { sparingly } from '../log.js';
import { addSearchMetrics } from '../metrics/search-metrics.js';
import { endpointOptions, readApiKeys, startModelEndpoints } from '../model-endpoints.js';
import { poolSize } from '../model-options.js';
import {
  blend,
  flag,
  integer,
  listenAddress,
  oneOf,
  type OptionTable,
  type OptionValues,
} from '../options.js';
import { runService, SERVICE_OPTIONS, type ServiceParts } from '../service.js';

const OPTIONS = {
  ...SERVICE_OPTIONS,
  modelsListen: {
    flag: 'models-listen',
    env: 'TWINRANK_MODELS_LISTEN',
    help: 'Where to serve the model to other systems, as `twinrank serve` does; nowhere if left out.',
    parse: listenAddress,
  },
  ...endpointOptions('models-'),
  listen: {
    flag: 'listen',
    env: 'TWINRANK_LISTEN',
    help: 'Where to listen for searches.',
    default: '127.0.0.1:9202',
    parse: listenAddress,
  },
  budget: {
    flag: 'budget',
    env: 'TWINRANK_BUDGET',
    help: "Milliseconds that a search may wait for the query's vector.",
    default: '150',
    parse: integer(1, 60_000),
  },
  queryCache: {
    flag: 'query-cache',
    env: 'TWINRANK_QUERY_CACHE',
    help: 'How many query vectors are kept; 0 keeps none.',
    default: '10000',
    parse: integer(0, 10_000_000),
  },
  mode: {
    flag: 'mode',
    env: 'TWINRANK_MODE',
    help: "rerank, or shadow: compute and log both orders, but return the engine's.",
    default: 'rerank',
    parse: oneOf('rerank', 'shadow'),
  },
  strict: {
    flag: 'strict',
    env: 'TWINRANK_STRICT',
    help: 'Answer 503 where a query cannot be encoded in time, instead of the order of the engine.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  blend: {
    flag: 'blend',
    env: 'TWINRANK_BLEND',
    help: "Weight of the engine's score in the order, 0 to 1 or auto, where neither request nor index says otherwise.",
    default: '0',
    parse: blend,
  },
  encodeNow: {
    flag: 'encode-now',
    env: 'TWINRANK_ENCODE_NOW',
    help: 'Hits without a usable vector that are encoded on the fly for one search, within the budget.',
    default: '16',
    parse: integer(0, 1000),
  },
  maxWindow: {
    flag: 'max-window',
    env: 'TWINRANK_MAX_WINDOW',
    help: 'Largest window that a request may ask for.',
    default: '1000',
    parse: integer(1, MAX_WINDOW),
  },
  maxQueryLength: {
    flag: 'max-query-length',
    env: 'TWINRANK_MAX_QUERY_LENGTH',
    help: 'Searches with a longer text are left alone.',
    default: '10000',
    parse: integer(1, 1_000_000),
  },
  maxBody: {
    flag: 'max-body',
    env: 'TWINRANK_MAX_BODY',
    help: 'Bytes of a search body that are read; larger ones pass through.',
    default: String(10 * 1024 * 1024),
    parse: integer(1, 1024 * 1024 * 1024),
  },
  playground: {
    flag: 'playground',
    env: 'TWINRANK_PLAYGROUND',
    help: 'Whether the admin port shows the playground, a page that compares both orders.',
    default: 'true',
    boolean: true,
    parse: flag,
  },
  noPlayground: {
    flag: 'no-playground',
    env: null,
    help: 'Leave the playground out.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
} satisfies OptionTable;

export const rerankCommand: Command<typeof OPTIONS> = {
  usage: 'rerank',
  summary: 'Run the rerank proxy: point your search clients at it instead of the engine.',
  options: OPTIONS,
  run: async (values, _positionals, io) => {
    const { modelsListen } = values;
    if (modelsListen === undefined && values.apiKeyFile !== undefined)
      throw new TwinrankError('bad_config', '--models-api-key-file needs --models-listen.');
    const apiKeys = await readApiKeys(values.apiKeyFile);
    return runService(
      {
        name: 'rerank',
        values,
        poolSize: poolSize('query'),
        handler: (parts) => rerankHandler(values, parts),
        ...(values.playground && !values.noPlayground
          ? {
              playground: (proxy) =>
                createPlayground({ proxy, loopbackOnly: isLoopbackName(values.admin.host) }),
            }
          : {}),
        endpoints: (parts) =>
          modelsListen === undefined ? undefined : startModelEndpoints(modelsListen, values, apiKeys, parts),
      },
      io,
    );
  },
};

async function rerankHandler(
  values: OptionValues<typeof OPTIONS>,
  { bundle, encoder, settings, log, observation }: ServiceParts,
): Promise<ExchangeHandler> {
  const options: RerankOptions = {
    ...DEFAULT_RERANK_OPTIONS,
    budgetMs: values.budget,
    shadow: values.mode === 'shadow',
    strict: values.strict,
    blend: values.blend,
    maxEncodedNow: values.encodeNow,
    maxWindow: values.maxWindow,
    maxQueryLength: values.maxQueryLength,
    maxBodyBytes: values.maxBody,
  };
  const deps: RerankDeps = {
    encoder: createCachedEncoder(encoder, {
      maxTexts: values.queryCache,
      onLookUp: observation.encoder.onLookUp('query'),
    }),
    head: createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions),
    settings,
    onShadow: (report) => {
      log.info(report, 'shadow');
    },
    onFailOpen: sparingly(log, "search answered in the engine's order"),
    observer: addSearchMetrics(observation.metrics),
  };
  await warmUp(deps, options);
  return createReranker(deps, options);
}
