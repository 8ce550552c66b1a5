/** What the tests of the Hub share: a small bundle, a folder of their own, and pulling with short waits. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../../../src/evaluate/random.js';
import { createHub } from '../../../src/hub/hub-client.js';
import { pullBundle, type PullDeps, type Pulled } from '../../../src/hub/pull-bundle.js';
import { parseReference } from '../../../src/hub/reference.js';
import { createTransport, type Proxies } from '../../../src/hub/transport.js';
import { fingerprintOf, type Manifest } from '../../../src/model/manifest.js';
import { sha256, startFakeHub, type FakeHub, type FakeHubOptions } from './fake-hub.js';

export const REPOSITORY = 'someone/a-bundle';
export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
export const ENCODER_BYTES = 400_000;

/** A bundle whose files are whole and fit together; its encoder is noise, which nobody runs here. */
export function smallBundle(): Map<string, Buffer> {
  const random = createRandom(7);
  const encoder = Buffer.from(Array.from({ length: ENCODER_BYTES }, () => Math.floor(random() * 256)));
  const tokenizer = Buffer.from(JSON.stringify({ model: { type: 'WordPiece', padding: 'x'.repeat(5000) } }));
  const described = {
    pooling: 'mean' as const,
    normalize: true,
    documentPrefix: '',
    maxTokens: 16,
  };
  const hashes = {
    encoder: { sha256: sha256(encoder) },
    tokenizer: { sha256: sha256(tokenizer) },
    charMap: null,
  };
  const fingerprint = fingerprintOf({ ...described, files: hashes as unknown as Manifest['files'] });
  const row = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
  const head = json({
    format: 1,
    dimensions: 2,
    encoder_fingerprint: fingerprint,
    weight: [row, row],
    bias: [0, 0],
  });
  const golden = json({
    texts: [{ text: 'a', kind: 'query', ids: [1], vector: [1, 0] }],
    pairs: [{ query: 'a', passage: 'b', probability: 0.5 }],
  });
  const entry = (path: string, bytes: Buffer): object => ({
    path,
    sha256: sha256(bytes),
    bytes: bytes.length,
  });
  const manifest = json({
    format: 1,
    name: 'a-bundle',
    version: '2.1.0',
    license: 'MIT',
    description: 'A bundle of noise.',
    source: 'none',
    dimensions: 2,
    max_tokens: described.maxTokens,
    pooling: described.pooling,
    normalize: described.normalize,
    query_prefix: '',
    document_prefix: described.documentPrefix,
    inputs: { ids: 'input_ids', mask: 'attention_mask' },
    output: 'sentence_embedding',
    pad_id: 0,
    files: {
      encoder: entry('onnx/encoder.onnx', encoder),
      tokenizer: entry('tokenizer.json', tokenizer),
      head: entry('head.json', head),
      golden: entry('golden.json', golden),
    },
    fingerprint,
  });
  return new Map([
    ['README.md', Buffer.from('# Not needed\n')],
    ['manifest.json', manifest],
    ['onnx/encoder.onnx', encoder],
    ['tokenizer.json', tokenizer],
    ['head.json', head],
    ['golden.json', golden],
    ['model.safetensors', Buffer.alloc(1000, 1)],
  ]);
}

export interface Playground {
  readonly root: string;
  /** Starts a Hub with the small bundle. */
  hub(options?: Partial<FakeHubOptions>): Promise<FakeHub>;
  /** Pulls from an address with short waits; what is told about trouble goes to `told`. */
  pull(url: string, options?: PullOptions): Promise<Pulled>;
  /** Ends servers and deletes files. */
  cleanUp(): Promise<void>;
}

export interface PullOptions {
  readonly name?: string;
  readonly token?: string;
  readonly told?: string[];
  readonly signal?: AbortSignal;
  readonly proxies?: Proxies;
  readonly silenceMs?: number;
  readonly retries?: number;
  readonly onProgress?: PullDeps['onProgress'];
  readonly staleMs?: number;
}

/** A cache folder of the test's own. */
export async function playground(): Promise<Playground> {
  const root = await mkdtemp(join(tmpdir(), 'twinrank-hub-'));
  const hubs: FakeHub[] = [];
  return {
    root,
    hub: async (options = {}) => {
      const hub = await startFakeHub({
        repository: REPOSITORY,
        commit: COMMIT,
        files: smallBundle(),
        ...options,
      });
      hubs.push(hub);
      return hub;
    },
    pull: async (url, options = {}) => {
      const { told = [], retries = 3, silenceMs = 10_000, staleMs = 20_000 } = options;
      const transport = createTransport(options.proxies ?? { http: '', https: '', except: '' }, silenceMs);
      const deps: PullDeps = {
        root,
        backOff: { retries, firstDelay: 1, maxDelay: 5 },
        lock: { staleMs, everyMs: 20 },
        random: Math.random,
        onTrouble: (message) => told.push(message),
        onProgress: options.onProgress ?? (() => undefined),
      };
      try {
        const target = { endpoint: new URL(url), token: options.token ?? null };
        const hub = createHub(target, { ...deps, transport, now: Date.now });
        const reference = parseReference(options.name ?? REPOSITORY);
        return await pullBundle(deps, hub, reference, options.signal ?? new AbortController().signal);
      } finally {
        await transport.close();
      }
    },
    cleanUp: async () => {
      for (const hub of hubs) await hub.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
