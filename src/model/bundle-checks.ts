/**
 * Proves a bundle step by step, for people who made or received one: is every file the manifest's, does the real
 * worker compute what the reference computed, and is a vector the same whatever else is in its batch.
 */
import { basename, resolve } from 'node:path';
import { isAbort } from '../errors.js';
import type { Bundle } from './bundle.js';
import { assembleBundle, badBundle, filesOf, readManifest, verifyFile } from './bundle.js';
import {
  goldenDistance,
  goldenMismatch,
  INT8_COSINE,
  INT8_PROBABILITY_TOLERANCE,
  largestDifference,
  PROBABILITY_TOLERANCE,
  row,
  VECTOR_TOLERANCE,
} from './golden.js';
import { probability, createHead } from './head.js';
import type { EncodedTexts, KindedText } from './worker-protocol.js';
import { workerSetupOf } from './worker-setup.js';
import type { BatchOutcome } from './worker-thread.js';
import { startEncoderThread, WorkerThread } from './worker-thread.js';

/** What one check found. Checks that need what another found missing are not run and do not appear. */
export interface BundleCheck {
  readonly name: string;
  readonly ok: boolean;
  /** One sentence or figure; for a failure, what is wrong and what to do. */
  readonly detail: string;
}

/**
 * Largest difference of one number between a vector computed alone and in a batch. Rounding of 32-bit floats gives
 * about 1e-7; activations quantised by what is in the batch give 1e-3 and more.
 */
const BATCH_TOLERANCE = 1e-5;
const BATCH_TEXTS = 40;

/**
 * Runs the checks in their order; ends after the first that the rest depends on and that failed. `prepare` gives the
 * bundle the precision that is to be proved.
 */
export async function* checkBundle(
  folder: string,
  signal?: AbortSignal,
  prepare: (bundle: Bundle) => Promise<Bundle> = (bundle) => Promise.resolve(bundle),
): AsyncGenerator<BundleCheck> {
  const root = resolve(folder);
  const manifest = await attempt(() => readManifest(root));
  yield toCheck(
    'manifest',
    manifest,
    (m) => `${m.name} ${m.version}, fingerprint ${m.fingerprint} is that of its parts`,
  );
  if (!manifest.ok) return;
  let whole = true;
  for (const file of filesOf(manifest.value)) {
    const verified = await attempt(() => verifyFile(root, file));
    yield toCheck(file.path, verified, () => `${file.bytes} bytes, SHA-256 as in the manifest`);
    whole &&= verified.ok;
  }
  if (!whole) return;
  const bundle = await attempt(() => assembleBundle(root, manifest.value));
  yield toCheck('head', bundle, headDetail);
  if (!bundle.ok) return;
  const prepared = await attempt(() => prepare(bundle.value));
  if (prepared.ok && prepared.value.precision === 'fp32') yield* checkEncoder(prepared.value, signal);
  else {
    yield toCheck('int8', prepared, (b) => `${basename(b.paths.encoder)}, fingerprint ${b.fingerprint}`);
    if (prepared.ok) yield* checkEncoder(prepared.value, signal);
  }
}

function headDetail({ head }: Bundle): string {
  return `${head.weight.length} rows of ${head.weight[0]?.length ?? 0} finite weights, for this encoder`;
}

async function* checkEncoder(bundle: Bundle, signal?: AbortSignal): AsyncGenerator<BundleCheck> {
  const thread = new WorkerThread(startEncoderThread(workerSetupOf(bundle, 1, 0)));
  try {
    const probe = await attempt(() => readyThread(bundle, thread));
    yield toCheck('encoder starts', probe, () => 'tokenizer and encoder are loaded by a worker thread');
    if (!probe.ok) return;
    yield goldenCheck(bundle, probe.value);
    yield scoresCheck(bundle, probe.value);
    yield toCheck(
      'batch',
      await attempt(() => batchDifference(bundle, thread, signal)),
      ({ difference, texts }) =>
        `alone and in a batch of ${texts} the vectors differ by ${difference.toExponential(1)} (at most ${BATCH_TOLERANCE})`,
      ({ difference }) => difference <= BATCH_TOLERANCE,
    );
  } finally {
    await thread.stop();
  }
}

async function readyThread({ folder }: Bundle, thread: WorkerThread): Promise<EncodedTexts> {
  try {
    return await thread.ready();
  } catch (error) {
    throw badBundle(folder, error instanceof Error ? error.message : String(error), error);
  }
}

function goldenCheck(bundle: Bundle, probe: EncodedTexts): BundleCheck {
  const mismatch = goldenMismatch(bundle, probe);
  const off = goldenDistance(bundle, probe);
  const isInt8 = bundle.precision === 'int8';
  const vectors = isInt8
    ? `cosine to fp32 at least ${off.cosine.toFixed(5)} (wanted ${INT8_COSINE})`
    : `vectors differ by ${off.vector.toExponential(1)} (at most ${VECTOR_TOLERANCE})`;
  const detail =
    `${bundle.golden.texts.length} texts and ${bundle.golden.pairs.length} pairs: token ids equal, ${vectors}, ` +
    `probabilities differ by ${off.probability.toExponential(1)} ` +
    `(at most ${isInt8 ? INT8_PROBABILITY_TOLERANCE : PROBABILITY_TOLERANCE})`;
  return { name: 'golden examples', ok: mismatch === null, detail: mismatch ?? detail };
}

/** Every pair of golden vectors through the head: the weights are finite, their sums must be as well. */
function scoresCheck({ dimensions, head }: Bundle, { vectors }: EncodedTexts): BundleCheck {
  const count = vectors.length / dimensions;
  const scoring = createHead(head.weight, head.bias, dimensions);
  const scores: number[] = [];
  for (let i = 0; i < count; i++) {
    const scorer = scoring.scorer(row(vectors, i, dimensions));
    for (let k = 0; k < count; k++) scores.push(probability(scorer.logOdds(row(vectors, k, dimensions))));
  }
  const ok = scores.every((score) => Number.isFinite(score));
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  const detail = ok
    ? `probabilities of ${scores.length} pairs from ${least.toFixed(4)} to ${most.toFixed(4)}`
    : 'some probabilities are no number: train the head anew.';
  return { name: 'scores', ok, detail };
}

/** Encodes each golden text alone, then all at once with short and long neighbours. */
async function batchDifference(bundle: Bundle, thread: WorkerThread, signal?: AbortSignal) {
  const golden = bundle.golden.texts.map(({ text, kind }): KindedText => ({ text, kind }));
  const long = golden.map(({ text }) => text).join(' ');
  const texts: KindedText[] = [...golden, { text: long, kind: 'document' }, { text: '', kind: 'document' }];
  for (let i = 1; texts.length < BATCH_TEXTS; i++)
    texts.push({ text: long.slice(0, 3 * i), kind: 'document' });
  const together = vectorsOf(await thread.run(texts));
  let difference = 0;
  for (const [index, text] of texts.entries()) {
    signal?.throwIfAborted();
    const alone = vectorsOf(await thread.run([text]));
    const off = largestDifference(alone, row(together, index, bundle.dimensions));
    if (!(off <= difference)) difference = off;
  }
  return { difference, texts: texts.length };
}

function vectorsOf(outcome: BatchOutcome): Float32Array {
  if (outcome.type === 'encoded') return outcome.vectors;
  throw new Error(`a text could not be encoded: ${outcome.message}`);
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

async function attempt<T>(run: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (error) {
    // Ctrl-C says nothing about the bundle.
    if (isAbort(error)) throw error;
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function toCheck<T>(
  name: string,
  tried: Attempt<T>,
  detail: (value: T) => string,
  holds: (value: T) => boolean = () => true,
): BundleCheck {
  if (!tried.ok) return { name, ok: false, detail: tried.reason };
  return { name, ok: holds(tried.value), detail: detail(tried.value) };
}
