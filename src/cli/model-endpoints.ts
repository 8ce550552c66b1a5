/** The endpoints for other systems: their options, and their start beside the proxy or alone. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { TwinrankError } from '../errors.js';
import { listen, shutDown } from '../http/listen.js';
import type { ServerIdentity } from '../http/service.js';
import type { Bundle } from '../model/bundle.js';
import type { EncoderPool } from '../model/encoder-pool.js';
import { createHead } from '../model/head.js';
import { createTokenCounter } from '../model/token-counter.js';
import { createCachedCounter, createCachedEncoder } from '../model/vector-cache.js';
import { keysOfFile } from '../http/api-key.js';
import { createModelApp, DEFAULT_MODEL_APP_OPTIONS, ENDPOINT_PATHS } from '../serve/app.js';
import type { Log } from './log.js';
import type { Observation } from './observation.js';
import { integer, text, type ListenAddress, type Option } from './options.js';
import { programVersion } from './version.js';

/** Rows of the option table; `prefix` sets them apart from those of a service that has other endpoints. */
export function endpointOptions(prefix: '' | 'models-'): EndpointOptions {
  const row = (name: string): { flag: string; env: string } => ({
    flag: prefix + name,
    env: `TWINRANK_${(prefix + name).toUpperCase().replaceAll('-', '_')}`,
  });
  return {
    apiKeyFile: {
      ...row('api-key-file'),
      help: 'File of API keys, one a line; callers send one as "Authorization: Bearer KEY". Without it everybody may call.',
      parse: text,
    },
    maxRequestBytes: {
      ...row('max-request-bytes'),
      help: 'Bytes of a request body; larger ones are answered 413.',
      default: String(DEFAULT_MODEL_APP_OPTIONS.maxBodyBytes),
      parse: integer(1, 1024 * 1024 * 1024),
    },
    maxTexts: {
      ...row('max-texts'),
      help: 'Documents or inputs of one request; more are answered 413.',
      default: String(DEFAULT_MODEL_APP_OPTIONS.maxTexts),
      parse: integer(1, 1_000_000),
    },
    maxRequests: {
      ...row('max-requests'),
      help: 'Requests that are worked on at once; others are answered 429.',
      default: String(DEFAULT_MODEL_APP_OPTIONS.maxConcurrentRequests),
      parse: integer(1, 100_000),
    },
    cacheTexts: {
      ...row('cache-texts'),
      help: 'How many texts are remembered with their vectors; 0 remembers none.',
      default: '10000',
      parse: integer(0, 10_000_000),
    },
  };
}

interface EndpointOptions {
  readonly apiKeyFile: Option<string>;
  readonly maxRequestBytes: Option<number> & { readonly default: string };
  readonly maxTexts: Option<number> & { readonly default: string };
  readonly maxRequests: Option<number> & { readonly default: string };
  readonly cacheTexts: Option<number> & { readonly default: string };
}

export interface EndpointValues {
  readonly maxRequestBytes: number;
  readonly maxTexts: number;
  readonly maxRequests: number;
  readonly cacheTexts: number;
}

/** The keys that callers may show; none lets everybody in. Rejects with `bad_config`. */
export async function readApiKeys(file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return [];
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new TwinrankError(
      'bad_config',
      `The file of API keys, ${file}, cannot be read (${(error as Error).message}).`,
      { cause: error },
    );
  });
  const keys = keysOfFile(content);
  if (keys.length > 0) return keys;
  throw new TwinrankError('bad_config', `The file of API keys, ${file}, holds no key; write one a line.`);
}

export interface EndpointParts {
  readonly bundle: Bundle;
  readonly encoder: EncoderPool;
  readonly log: Log;
  readonly identity: ServerIdentity | undefined;
  readonly observation: Observation;
}

/** Endpoints that listen. */
export interface ModelEndpoints {
  readonly address: string;
  /** Lets requests under way finish for `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Starts to listen. Rejects with `bad_config` where the address cannot be had. */
export async function startModelEndpoints(
  address: ListenAddress,
  values: EndpointValues,
  apiKeys: readonly string[],
  { bundle, encoder, log, identity, observation }: EndpointParts,
): Promise<ModelEndpoints> {
  const counter = await createTokenCounter(bundle);
  const { name, maxTokens, normalize: normalized } = bundle.manifest;
  const app = createModelApp(
    {
      facts: { name, maxTokens, normalized },
      encoder: createCachedEncoder(encoder, {
        maxTexts: values.cacheTexts,
        onLookUp: observation.encoder.onLookUp('endpoint'),
      }),
      head: createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions),
      counter: createCachedCounter(counter, { maxTexts: values.cacheTexts }),
      isReady: () => encoder.stats().workers > 0,
    },
    {
      maxTexts: values.maxTexts,
      maxBodyBytes: values.maxRequestBytes,
      maxConcurrentRequests: values.maxRequests,
      apiKeys,
      version: programVersion(),
    },
    {
      onError: (error) => {
        log.error({ code: error.code, err: error }, error.message);
      },
    },
  );
  try {
    const server = identity === undefined ? createServer(app) : createTlsServer({ ...identity }, app);
    observation.watch(server, kindOf);
    const bound = await listen(server, address);
    return {
      address: bound,
      async close(graceMs) {
        await shutDown(server, graceMs);
        await counter.close();
      },
    };
  } catch (error) {
    await counter.close();
    throw error;
  }
}

/** The endpoint by its path, `/v1/rerank` as `v1_rerank`. */
function kindOf({ url = '' }: IncomingMessage): string {
  const path = url.replace(/[?#].*$/s, '');
  return ENDPOINT_PATHS.includes(path) ? path.slice(1).replaceAll('/', '_') : 'other';
}
