/** What `twinrank ingest` and `twinrank rerank` have in common: options, start, readiness, shutdown. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { TwinrankError } from '../errors.js';
import type { AdminPage } from '../http/admin-app.js';
import { listen, shutDown, type AnyServer } from '../http/listen.js';
import { createService, type ExchangeHandler } from '../http/service.js';
import { createUpstream } from '../http/upstream.js';
import type { Bundle } from '../model/bundle.js';
import type { EncoderPool } from '../model/encoder-pool.js';
import type { PoolSize } from '../model/pool-size.js';
import { settingsFromMeta, type IndexSettings } from '../search-engine/mapping-meta.js';
import { createSettingsReader, type SettingsReader } from '../search-engine/index-settings.js';
import type { CommandIo } from './command.js';
import { engineClient, refuseTlsContradictions, TLS_OPTIONS } from './engine-options.js';
import { createLog, type Log } from './log.js';
import { aborted, identityOf, LISTENER_OPTIONS } from './listener.js';
import { addUpstreamMetrics } from './metrics/request-metrics.js';
import type { EndpointParts, ModelEndpoints } from './model-endpoints.js';
import { bundleOf, MODEL_OPTIONS, startEncoder } from './model-options.js';
import { observe, type Observation } from './observation.js';
import { modelCheck, stageCheck, upstreamCheck, type Queue, type Stage } from './readiness.js';
import { flag, httpUrl, integer, text, type OptionTable, type OptionValues } from './options.js';

export const SERVICE_OPTIONS = {
  upstream: {
    flag: 'upstream',
    env: 'TWINRANK_UPSTREAM',
    help: 'Address of the engine. Credentials in it are used to read mappings only; callers bring their own.',
    required: true,
    parse: httpUrl,
  },
  settingsTtl: {
    flag: 'settings-ttl',
    env: 'TWINRANK_SETTINGS_TTL',
    help: 'Milliseconds for which mapping settings are believed.',
    default: '5000',
    parse: integer(0, 3_600_000),
  },
  assume: {
    flag: 'assume-settings',
    env: 'TWINRANK_ASSUME_SETTINGS',
    help: 'JSON file in the form of _meta.twinrank, held to be the settings of indices whose mapping may not be read.',
    parse: text,
  },
  opaqueId: {
    flag: 'opaque-id',
    env: 'TWINRANK_OPAQUE_ID',
    help: 'Send the id of a request to the engine as X-Opaque-Id, with what is asked for a caller who sent none.',
    default: 'true',
    boolean: true,
    parse: flag,
  },
  ...LISTENER_OPTIONS,
  ...MODEL_OPTIONS,
  ...TLS_OPTIONS,
} satisfies OptionTable;

type Values = OptionValues<typeof SERVICE_OPTIONS> & {
  readonly listen: { readonly host: string; readonly port: number };
};

/** What a service's handler is made of. */
export interface ServiceParts {
  readonly bundle: Bundle;
  readonly encoder: EncoderPool;
  readonly settings: SettingsReader;
  readonly log: Log;
  readonly observation: Observation;
}

export interface ServiceDefinition {
  readonly name: 'ingest' | 'rerank';
  readonly values: Values;
  /** Workers and threads where the user names none. */
  readonly poolSize: PoolSize;
  /** How long writes wait for their settings while the engine cannot tell them, in milliseconds. */
  readonly settingsPatienceMs?: number;
  /** What must not stay full; the model's queue if left out. */
  readonly queue?: () => Queue | undefined;
  /** Made when the model is up; the service listens when it has settled. */
  readonly handler: (parts: ServiceParts) => Promise<ExchangeHandler>;
  /** What the admin port shows below `/playground`, if anything; gets the address of the service's own data port. */
  readonly playground?: ((dataPort: () => URL | undefined) => Promise<AdminPage>) | undefined;
  /** What else listens beside the service, if anything. */
  readonly endpoints?: (parts: EndpointParts) => Promise<ModelEndpoints> | undefined;
}

/** Runs a service until the signal fires. Resolves to the exit code. */
export async function runService(definition: ServiceDefinition, io: CommandIo): Promise<number> {
  const { name, values } = definition;
  refuseContradictions(values);
  const identity = await identityOf(values);
  const log = createLog(name, values.logLevel);
  const client = engineClient(values.upstream, values);
  let encoder: EncoderPool | undefined;
  let stage: Stage = 'starting';
  const draining = new AbortController();
  let dataPort: URL | undefined;
  const observation = await observe({
    name,
    values,
    log,
    checks: [stageCheck(() => stage), modelCheck(() => encoder), upstreamCheck(client)],
    stats: () => encoder?.stats(),
    queue: definition.queue ?? (() => queueOf(encoder)),
    playground: await definition.playground?.(() => dataPort),
  });
  const { admin, metrics } = observation;
  let server: AnyServer | undefined;
  let endpoints: ModelEndpoints | undefined;
  try {
    const adminAddress = await listen(admin, values.admin);
    const bundle = await bundleOf(values);
    encoder = await startEncoder(bundle, values, definition.poolSize, io.signal, observation.encoder.onBatch);
    const upstream = createUpstream({
      url: values.upstream,
      caFile: values.ca,
      insecure: values.insecure,
      observer: addUpstreamMetrics(metrics),
    });
    const settings = createSettingsReader(client, {
      ttlMs: values.settingsTtl,
      patienceMs: definition.settingsPatienceMs ?? 0,
      assumed: values.assume === undefined ? undefined : await assumedSettings(values.assume),
    });
    const handler = await definition.handler({ bundle, encoder, settings, log, observation });
    const hooks = {
      onError: (error: TwinrankError) => {
        log.error({ code: error.code, err: error }, error.message);
      },
      onBegin: observation.onBegin,
      onEnd: observation.onEnd,
      showsIds: values.opaqueId,
      draining: draining.signal,
    };
    server = createService(upstream, handler, hooks, identity);
    const address = await listen(server, values.listen);
    dataPort = reachable(address);
    endpoints = await definition.endpoints?.({ bundle, encoder, log, identity, observation });
    stage = 'listening';
    log.info(
      { upstream: upstream.address, model: bundle.manifest.name, fingerprint: bundle.fingerprint },
      'listening',
    );
    const models = endpoints === undefined ? '' : `, models on ${endpoints.address}`;
    io.stdout.write(`twinrank ${name}: listening on ${address}, admin on ${adminAddress}${models}\n`);
    await aborted(io.signal);
    stage = 'draining';
    draining.abort();
    log.info({ delay_ms: values.drainDelay, grace_ms: values.grace }, 'draining');
    // Not yet: whoever sends us requests must see first that this is over.
    await sleep(values.drainDelay);
    return 0;
  } catch (error) {
    if (io.signal.aborted) return 0;
    throw error;
  } finally {
    // Side by side: each may need the whole grace.
    await Promise.all([
      server === undefined ? undefined : shutDown(server, values.grace),
      endpoints?.close(values.grace),
    ]);
    await encoder?.close();
    observation.stop();
    await shutDown(admin, 0);
    await client.close();
  }
}

/** The texts that wait for the model. */
export function queueOf(encoder: EncoderPool | undefined): Queue | undefined {
  const stats = encoder?.stats();
  return stats === undefined ? undefined : { waiting: stats.queued, limit: stats.maxQueued };
}

/** The address to call for an address that is listened on: that of all interfaces is none to go to. */
function reachable(address: string): URL {
  const url = new URL(address);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url;
}

/** Settings from a file. Throws `bad_config`. */
async function assumedSettings(file: string): Promise<IndexSettings> {
  let block: unknown;
  try {
    block = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new TwinrankError(
      'bad_config',
      `--assume-settings: ${file} cannot be read as JSON (${(error as Error).message}).`,
      { cause: error },
    );
  }
  const settings = settingsFromMeta({ twinrank: block }, file);
  if (settings !== undefined) return settings;
  throw new TwinrankError('bad_config', `--assume-settings: ${file} holds no settings.`);
}

/** Combinations that cannot be meant. Throws `bad_config`. */
function refuseContradictions(values: Values): void {
  const { upstream, listen: data, admin } = values;
  refuseTlsContradictions(upstream, values);
  if (admin.port !== 0 && admin.port === data.port && admin.host === data.host) {
    throw new TwinrankError(
      'bad_config',
      `--listen and --admin are both ${data.host}:${data.port}; give the admin port an address of its own.`,
    );
  }
  const upstreamPort = Number(upstream.port) || (upstream.protocol === 'https:' ? 443 : 80);
  const sameHost =
    upstream.hostname === data.host || (upstream.hostname === 'localhost' && data.host === '127.0.0.1');
  if (sameHost && data.port === upstreamPort) {
    throw new TwinrankError(
      'bad_config',
      `--upstream and --listen are the same address, so the service would call itself; listen on another port.`,
    );
  }
}
