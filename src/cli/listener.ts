/** What everything that listens has in common: options, certificate, the model's readiness, the end. */
import { readFile } from 'node:fs/promises';
import { TwinrankError } from '../errors.js';
import type { ServerIdentity } from '../http/service.js';
import { ADMIN_TOKEN_OPTIONS } from './admin-token.js';
import { LOG_LEVELS } from './log.js';
import {
  integer,
  listenAddress,
  oneOf,
  share,
  text,
  type OptionTable,
  type OptionValues,
} from './options.js';

/** Options of everything that listens. */
export const LISTENER_OPTIONS = {
  admin: {
    flag: 'admin',
    env: 'TWINRANK_ADMIN',
    help: 'Where to answer /health/live, /health/ready and /metrics.',
    default: '127.0.0.1:0',
    parse: listenAddress,
  },
  tlsCert: {
    flag: 'tls-cert',
    env: 'TWINRANK_TLS_CERT',
    help: 'PEM file with the certificate chain to listen with, for https. Needs --tls-key.',
    parse: text,
  },
  tlsKey: {
    flag: 'tls-key',
    env: 'TWINRANK_TLS_KEY',
    help: 'PEM file with the private key of --tls-cert.',
    parse: text,
  },
  grace: {
    flag: 'grace',
    env: 'TWINRANK_GRACE',
    help: 'Milliseconds that requests under way get at shutdown.',
    default: '10000',
    parse: integer(0, 600_000),
  },
  drainDelay: {
    flag: 'drain-delay',
    env: 'TWINRANK_DRAIN_DELAY',
    help: 'Milliseconds between the end of readiness and the end of listening at shutdown, for balancers to notice.',
    default: '0',
    parse: integer(0, 600_000),
  },
  unreadyAfter: {
    flag: 'unready-after',
    env: 'TWINRANK_UNREADY_AFTER',
    help: 'Milliseconds of a full queue after which the service is not ready; 0 keeps it ready.',
    default: '5000',
    parse: integer(0, 3_600_000),
  },
  ...ADMIN_TOKEN_OPTIONS,
  logRequests: {
    flag: 'log-requests',
    env: 'TWINRANK_LOG_REQUESTS',
    help: 'Requests that get a line in the log: all, intercepted (not those that only pass through), none.',
    default: 'all',
    parse: oneOf('all', 'intercepted', 'none'),
  },
  logQueries: {
    flag: 'log-queries',
    env: 'TWINRANK_LOG_QUERIES',
    help: 'Share of the searches whose text is shown in the log, 0 to 1.',
    default: '0',
    parse: share,
  },
  slowMs: {
    flag: 'slow-ms',
    env: 'TWINRANK_SLOW_MS',
    help: 'Requests that take longer than this get a warning in the log; 0 warns of none.',
    default: '0',
    parse: integer(0, 3_600_000),
  },
  logLevel: {
    flag: 'log-level',
    env: 'TWINRANK_LOG_LEVEL',
    help: `What is logged: ${LOG_LEVELS.join(', ')}.`,
    default: 'info',
    parse: oneOf(...LOG_LEVELS),
  },
} satisfies OptionTable;

/** What to listen with; undefined for plain HTTP. Throws `bad_config`. */
export async function identityOf({
  tlsCert,
  tlsKey,
}: OptionValues<typeof LISTENER_OPTIONS>): Promise<ServerIdentity | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new TwinrankError('bad_config', '--tls-cert and --tls-key belong together: give both, or neither.');
  }
  const read = (flag: string, file: string): Promise<string> =>
    readFile(file, 'utf8').catch((error: unknown) => {
      throw new TwinrankError(
        'bad_config',
        `${flag}: ${file} cannot be read (${(error as Error).message}).`,
        { cause: error },
      );
    });
  return { cert: await read('--tls-cert', tlsCert), key: await read('--tls-key', tlsKey) };
}

/** Resolves when the signal has fired. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
