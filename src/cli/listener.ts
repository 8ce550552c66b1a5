/** What everything that listens has in common: options, certificate, the model's readiness, the end. */
import { readFile } from 'node:fs/promises';
import { TwinrankError } from '../errors.js';
import type { ReadinessCheck } from '../http/admin-app.js';
import type { ServerIdentity } from '../http/service.js';
import type { EncoderPool } from '../model/encoder-pool.js';
import { LOG_LEVELS } from './log.js';
import { integer, listenAddress, oneOf, text, type OptionTable, type OptionValues } from './options.js';

/** Options of everything that listens. */
export const LISTENER_OPTIONS = {
  admin: {
    flag: 'admin',
    env: 'TWINRANK_ADMIN',
    help: 'Where to answer /health/live and /health/ready.',
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

/** Ready while a worker is up. */
export function modelCheck(encoder: () => EncoderPool | undefined): ReadinessCheck {
  return {
    name: 'model',
    check: () => {
      const pool = encoder();
      if (pool === undefined) return Promise.resolve({ ok: false, reason: 'the model is loading' });
      return Promise.resolve(
        pool.stats().workers > 0 ? { ok: true } : { ok: false, reason: 'no inference worker is up' },
      );
    },
  };
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
