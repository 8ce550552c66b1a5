/** Runs the checks one after the other: asks, measures, and hands on what the pure parts find. Changes nothing. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { TwinrankError } from '../../errors.js';
import { benchBundle, quantile } from '../../model/bundle-bench.js';
import { checkBundle, type BundleCheck } from '../../model/bundle-checks.js';
import { loadBundle, readManifest, type Bundle } from '../../model/bundle.js';
import type { EngineClient } from '../../search-engine/client.js';
import type { IndexSettings } from '../../search-engine/mapping-meta.js';
import { engineFindings, isUsable, type EngineFacts } from './engine.js';
import type { Finding } from './finding.js';
import type { Advice } from './advice.js';
import { indexFindings, mostHits, settingsOf, type IndexFacts, type ModelIdentity } from './indices.js';
import { machineFindings, type MachineFacts } from './machine.js';
import { modelFinding, speedFindings, type ModelSpeed } from './model.js';
import { needsOf, permissionFindings, type Purpose, type Tried } from './permissions.js';
import { sampleDocuments, type Documents } from './probe-documents.js';
import { findIndices } from './probe-indices.js';
import { measureSearches } from './probe-searches.js';
import { ask, get, type Reply } from './reply.js';
import { proxySearchFinding, searchTimeFinding } from './searches.js';
import { adminFinding, serviceFinding } from './services.js';
import { vectorsFinding } from './vectors.js';

/** An address with a client for it. */
export interface Asked {
  readonly client: EngineClient;
  readonly url: URL;
}

export interface DoctorInput {
  readonly machine: MachineFacts;
  readonly engine: Asked;
  readonly insecure: boolean;
  readonly proxy: Asked | undefined;
  readonly proxyAdmin: Asked | undefined;
  readonly sidecar: Asked | undefined;
  readonly sidecarAdmin: Asked | undefined;
  readonly indices: readonly string[];
  readonly purposes: readonly Purpose[];
  readonly sample: number;
  readonly budgetMs: number;
  /** The model is neither proved nor measured. */
  readonly skipModel: boolean;
  /** Folder of the bundle. */
  readonly bundle: string;
  /** Threads of one query, and workers of one thread for titles. */
  readonly queryThreads: number;
  readonly documentWorkers: number;
  readonly advice: Advice;
}

/** Of the bundle, as far as it can be used. */
interface Model {
  readonly identity: ModelIdentity | undefined;
  readonly speed: ModelSpeed | undefined;
}

const MEASURE_MS = 1_500;

/** Every finding as it is there. Rejects with `cancelled` when the user stops the program. */
export async function* diagnose(input: DoctorInput, signal: AbortSignal): AsyncGenerator<Finding> {
  yield* machineFindings(input.machine);
  const facts = await engineFacts(input, signal);
  yield* engineFindings(facts);
  const isUp = isUsable(facts);
  if (isUp) yield* await triedPermissions(input, signal);
  const model = yield* modelFindings(input, signal);
  if (isUp) yield* indexChecks(input, model, signal);
  else
    yield {
      check: 'index',
      status: 'skipped',
      message: 'The engine does not answer, so no index was looked at.',
    };
  yield* serviceChecks(input, facts, signal);
}

async function engineFacts({ engine, insecure }: DoctorInput, signal: AbortSignal): Promise<EngineFacts> {
  const { client, url } = engine;
  const root = await get(client, '/', signal);
  const isAway = root.kind === 'failure';
  const health = isAway ? root : await get(client, '/_cluster/health', signal);
  const clock = isAway ? root : await get(client, '/_nodes/_local/stats/process', signal);
  return {
    address: client.address,
    isHttps: url.protocol === 'https:',
    isLocal: /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname),
    insecure,
    hasCredentials: url.username !== '',
    root,
    health,
    clock,
    now: Date.now(),
  };
}

async function triedPermissions(input: DoctorInput, signal: AbortSignal): Promise<readonly Finding[]> {
  const { engine, indices, purposes } = input;
  const expression = indices.join(',');
  const [need] = needsOf(expression, undefined, '', purposes);
  const mapping = need === undefined ? undefined : await ask(engine.client, { ...need.request, signal });
  const body = mapping?.kind === 'answer' && mapping.answer.status === 200 ? mapping.answer.body : {};
  // To ask for a write to an index that is not there might make it.
  const written = indices.length === 0 ? undefined : Object.keys(body as object)[0];
  const tried: Tried[] = [];
  const id = `twinrank-doctor-${randomBytes(16).toString('hex')}`;
  for (const one of needsOf(expression, written, id, purposes))
    tried.push({ need: one, reply: await ask(engine.client, { ...one.request, signal }) });
  return permissionFindings(tried, purposes);
}

async function* modelFindings(input: DoctorInput, signal: AbortSignal): AsyncGenerator<Finding, Model> {
  const checks: BundleCheck[] = [];
  for await (const check of checkBundle(input.bundle, signal)) {
    checks.push(check);
    // The first one is the manifest alone.
    if (input.skipModel) break;
  }
  const manifest = checks.every(({ ok }) => ok) ? await readManifest(resolve(input.bundle)) : undefined;
  const name = manifest === undefined ? input.bundle : `${manifest.name} ${manifest.version}`;
  yield modelFinding(checks, name);
  if (manifest === undefined || input.skipModel) {
    const message = manifest === undefined ? 'The model cannot be used.' : 'Left out by --skip-model.';
    for (const check of ['model-speed', 'encode-budget'] as const)
      yield { check, status: 'skipped', message };
  }
  if (manifest === undefined) return { identity: undefined, speed: undefined };
  const { fingerprint, dimensions } = manifest;
  const identity = { name: manifest.name, fingerprint, dimensions };
  if (input.skipModel) return { identity, speed: undefined };
  const speed = await speedOf(await loadBundle(input.bundle), input, signal);
  yield* speedFindings(speed, input.budgetMs);
  return { identity, speed };
}

async function speedOf(bundle: Bundle, input: DoctorInput, signal: AbortSignal): Promise<ModelSpeed> {
  const plan = {
    sizes: [{ workers: input.documentWorkers, threads: 1 }],
    batchTokensPerThread: [],
    threads: [input.queryThreads],
    milliseconds: MEASURE_MS,
  };
  const { throughput, latency } = await benchBundle(bundle, plan, undefined, signal);
  const [titles, query] = [throughput[0], latency[0]];
  if (titles === undefined || query === undefined)
    throw new TwinrankError('internal', 'Nothing was measured. This is a bug.');
  return { titlesPerSecond: titles.titlesPerSecond, p50Ms: query.p50Ms, p95Ms: query.p95Ms };
}

async function* indexChecks(input: DoctorInput, model: Model, signal: AbortSignal): AsyncGenerator<Finding> {
  const { engine, advice } = input;
  const found = await findIndices(engine.client, input.indices, advice, signal);
  yield* found.findings;
  let searched: Searched | undefined;
  for (const facts of found.indices) {
    const settings = settingsOf(facts, advice);
    if ('check' in settings) {
      yield settings;
      continue;
    }
    yield* indexFindings(facts, settings, model.identity, advice);
    const most = mostHits(facts);
    const count = Math.min(input.sample, most);
    const documents = await sampleDocuments(engine.client, facts.name, settings, count, signal);
    yield documentFinding(facts, settings, documents, model, advice);
    if (typeof documents !== 'string' && documents.texts.length > (searched?.texts.length ?? 0))
      searched = {
        index: facts.name,
        settings: { ...settings, window: Math.min(settings.window, most) },
        texts: documents.texts,
      };
  }
  yield* searchChecks(input, searched, signal);
}

function documentFinding(
  { name }: IndexFacts,
  { textFields }: IndexSettings,
  documents: Documents | string,
  { speed }: Model,
  advice: Advice,
): Finding {
  if (typeof documents !== 'string')
    return vectorsFinding(name, documents.sample, textFields, speed?.titlesPerSecond, advice);
  return {
    check: 'vectors',
    index: name,
    status: 'skipped',
    message: `Documents cannot be read (${documents}), so their vectors were not looked at. The services do without that right; doctor with other credentials can.`,
  };
}

interface Searched {
  readonly index: string;
  /** With the window that the index allows. */
  readonly settings: IndexSettings;
  readonly texts: readonly string[];
}

/** On the index that shows most texts. */
async function* searchChecks(
  { engine, proxy }: DoctorInput,
  searched: Searched | undefined,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const skip = (message: string): Finding[] => [
    { check: 'search-time', status: 'skipped', message },
    ...(proxy === undefined ? [] : [{ check: 'proxy-search', status: 'skipped', message } as const]),
  ];
  if (searched === undefined) {
    yield* skip('There is no document with a text to search for.');
    return;
  }
  const { index, settings, texts } = searched;
  const isProxyUp = proxy !== undefined && (await get(proxy.client, '/', signal)).kind === 'answer';
  const client = isProxyUp ? proxy.client : undefined;
  const measured = await measureSearches(engine.client, client, index, settings, texts, signal);
  if (typeof measured === 'string') {
    yield* skip(`Searches cannot be measured: ${measured}.`);
    return;
  }
  yield searchTimeFinding(index, measured.engine);
  if (measured.proxy !== undefined)
    yield proxySearchFinding(index, measured.proxy, quantile(measured.engine.page, 0.5));
  else if (proxy !== undefined)
    yield { check: 'proxy-search', status: 'skipped', message: 'The proxy is down.' };
}

async function* serviceChecks(
  input: DoctorInput,
  facts: EngineFacts,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const engineRoot: Reply | undefined = isUsable(facts) ? facts.root : undefined;
  for (const service of ['proxy', 'sidecar'] as const) {
    const [data, admin] = [input[service], input[`${service}Admin`]];
    if (data !== undefined) {
      const root = await get(data.client, '/', signal);
      yield serviceFinding({ service, address: data.client.address, root }, engineRoot);
    }
    if (admin !== undefined)
      yield adminFinding(service, admin.client.address, await get(admin.client, '/health/ready', signal));
  }
}
