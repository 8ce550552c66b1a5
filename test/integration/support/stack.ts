/** Sidecar and proxy in this process over the real engine and the real model, each on a free port. */
import { after, before } from 'node:test';
import { listen, shutDown, type AnyServer } from '../../../src/http/listen.js';
import { createService } from '../../../src/http/service.js';
import { createUpstream } from '../../../src/http/upstream.js';
import { createIngester, DEFAULT_INGEST_OPTIONS, type IngestOptions } from '../../../src/ingest/app.js';
import { loadBundle, type Bundle } from '../../../src/model/bundle.js';
import { defaultBundleFolder } from '../../../src/model/default-bundle.js';
import { createEncoderPool, type EncoderPool } from '../../../src/model/encoder-pool.js';
import type { Encoder } from '../../../src/model/encoder.js';
import { createHead } from '../../../src/model/head.js';
import { createReranker } from '../../../src/rerank/app.js';
import {
  DEFAULT_RERANK_OPTIONS,
  type RerankOptions,
  type ShadowReport,
} from '../../../src/rerank/context.js';
import { createEngineClient, type EngineClient } from '../../../src/search-engine/client.js';
import { createSettingsReader } from '../../../src/search-engine/index-settings.js';
import { applyToIndex } from '../../../src/search-engine/mapping-apply.js';
import { DEFAULT_VECTOR_FIELD, type IndexSettings } from '../../../src/search-engine/mapping-meta.js';
import { engineFixture, type EngineFixture } from './engine.js';

export interface Stack {
  readonly engine: string;
  readonly sidecar: string;
  readonly proxy: string;
  readonly bundle: Bundle;
  readonly encoder: EncoderPool;
  readonly client: EngineClient;
  /** Sets an index up as `mapping apply` does. */
  setUp(index: string, change?: Partial<IndexSettings>): Promise<IndexSettings>;
  /** One more proxy or sidecar with other options or another encoder. */
  moreProxy(
    options?: Partial<RerankOptions>,
    encoder?: Encoder,
    onShadow?: (report: ShadowReport) => void,
  ): Promise<string>;
  moreSidecar(options?: Partial<IngestOptions>, encoder?: Encoder): Promise<string>;
  close(): Promise<void>;
}

/**
 * The engine with a stack over it, for the tests of the file or the describe block that calls this. Another `before`
 * may use it within a describe block only: those of a file all run at once.
 */
export function stackFixture(): { readonly engine: EngineFixture; readonly stack: Stack } {
  const engine = engineFixture();
  // Empty until the first test is about to run.
  const stack = {} as Stack;
  let started: Stack | undefined;
  before(async () => {
    started = await startStack(engine.url);
    Object.assign(stack, started);
  });
  after(async () => {
    await started?.close();
    await engine.cleanUp();
  });
  return { engine, stack };
}

export async function startStack(engine: string): Promise<Stack> {
  const bundle = await loadBundle(defaultBundleFolder());
  const encoder = await createEncoderPool(bundle, { workers: 1, threadsPerWorker: 2 });
  const client = createEngineClient(new URL(engine));
  const upstream = createUpstream({ url: new URL(engine) });
  const head = createHead(bundle.head.weight, bundle.head.bias, bundle.dimensions);
  // Settings are not kept: tests change them and look at once.
  const settings = createSettingsReader(client, { ttlMs: 0 });
  const servers: AnyServer[] = [];
  const serve = async (server: AnyServer): Promise<string> => {
    servers.push(server);
    return listen(server, { host: '127.0.0.1', port: 0 });
  };
  // A cold, shared test machine must not turn a slow encode into another order.
  const moreProxy = (
    options: Partial<RerankOptions> = {},
    other: Encoder = encoder,
    onShadow: (report: ShadowReport) => void = () => undefined,
  ): Promise<string> =>
    serve(
      createService(
        upstream,
        createReranker(
          { encoder: other, head, settings, onShadow },
          { ...DEFAULT_RERANK_OPTIONS, budgetMs: 60_000, ...options },
        ),
      ),
    );
  const moreSidecar = (options: Partial<IngestOptions> = {}, other: Encoder = encoder): Promise<string> =>
    serve(
      createService(
        upstream,
        createIngester({ encoder: other, settings }, { ...DEFAULT_INGEST_OPTIONS, ...options }),
      ),
    );
  return {
    engine,
    sidecar: await moreSidecar(),
    proxy: await moreProxy(),
    bundle,
    encoder,
    client,
    moreProxy,
    moreSidecar,
    async setUp(index, change = {}) {
      const wanted: IndexSettings = {
        textFields: ['title'],
        vectorField: DEFAULT_VECTOR_FIELD,
        codec: 'f16',
        dimensions: bundle.dimensions,
        model: bundle.manifest.name,
        fingerprint: bundle.fingerprint,
        window: 100,
        ...change,
      };
      await applyToIndex(client, index, wanted, false, AbortSignal.timeout(30_000));
      return wanted;
    },
    async close() {
      await Promise.all(servers.map((server) => shutDown(server, 0)));
      await encoder.close();
      await client.close();
    },
  };
}
