/** `twinrank rerank`: the search proxy. */
import { createHead } from '../../model/head.js';
import { createCachedEncoder } from '../../model/vector-cache.js';
import { createReranker, DEFAULT_RERANK_OPTIONS } from '../../rerank/app.js';
import type { Command } from '../command.js';
import { sparingly } from '../log.js';
import { poolSize } from '../model-options.js';
import { integer, listenAddress, type OptionTable } from '../options.js';
import { runService, SERVICE_OPTIONS } from '../service.js';

const OPTIONS = {
  ...SERVICE_OPTIONS,
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
} satisfies OptionTable;

export const rerankCommand: Command<typeof OPTIONS> = {
  usage: 'rerank',
  summary: 'Run the rerank proxy: point your search clients at it instead of the engine.',
  options: OPTIONS,
  run: (values, _positionals, io) =>
    runService(
      {
        name: 'rerank',
        values,
        poolSize: poolSize('query'),
        handler: ({ bundle, encoder, settings, log }) =>
          createReranker(
            {
              encoder:
                values.queryCache === 0
                  ? encoder
                  : createCachedEncoder(encoder, { maxTexts: values.queryCache }),
              head: createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions),
              settings,
              onFailOpen: sparingly(log, "search answered in the engine's order"),
            },
            { ...DEFAULT_RERANK_OPTIONS, budgetMs: values.budget },
          ),
      },
      io,
    ),
};
