/** `twinrank ingest`: the sidecar that adds vectors to documents on their way to the engine. */
import { createIngester, DEFAULT_INGEST_OPTIONS } from '../../ingest/app.js';
import type { Command } from '../command.js';
import { sparingly } from '../log.js';
import { poolSize } from '../model-options.js';
import { listenAddress, oneOf, type OptionTable } from '../options.js';
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
} satisfies OptionTable;

export const ingestCommand: Command<typeof OPTIONS> = {
  usage: 'ingest',
  summary: 'Run the ingest sidecar: point your writers at it instead of the engine.',
  options: OPTIONS,
  run: (values, _positionals, io) =>
    runService(
      {
        name: 'ingest',
        values,
        poolSize: poolSize('document'),
        handler: ({ encoder, settings, log }) =>
          Promise.resolve(
            createIngester(
              { encoder, settings, onProblem: sparingly(log, 'documents written without a vector') },
              { ...DEFAULT_INGEST_OPTIONS, onEncodeFailure: values.onEncodeFailure },
            ),
          ),
      },
      io,
    ),
};
