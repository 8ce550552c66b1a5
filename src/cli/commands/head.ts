/** `twinrank head train`: learns a head from labelled pairs or judged queries, and writes a bundle that has it. */
import { availableParallelism } from 'node:os';
import { createHash } from 'node:crypto';
import { TwinrankError } from '../../errors.js';
import { encodeTexts, textNumbers, type TextNumbers } from '../../evaluate/head/encode-texts.js';
import { textFieldsOf } from '../../evaluate/head/engine-lists.js';
import { gatherLists } from '../../evaluate/head/gather-lists.js';
import { LIST_STRENGTHS, listProblem } from '../../evaluate/head/list-problem.js';
import { trainableQueries, unknownDocumentsWarning } from '../../evaluate/head/lists-check.js';
import { PAIR_STRENGTHS, pairProblem } from '../../evaluate/head/pair-problem.js';
import { checkPairs } from '../../evaluate/head/pairs-check.js';
import { parsePairs } from '../../evaluate/head/pairs-file.js';
import { trainHead, type TrainedHead, type TrainingProblem } from '../../evaluate/head/train-head.js';
import type { VectorTable } from '../../evaluate/head/training-rows.js';
import { readVectorFile, writeVectorFile } from '../../evaluate/head/vector-file.js';
import { parseQrels } from '../../evaluate/qrels.js';
import { parseQueries } from '../../evaluate/queries.js';
import { readInputText } from '../../evaluate/read-input.js';
import { searchBody } from '../../evaluate/search-body.js';
import { createSearcher } from '../../evaluate/search-http.js';
import type { Bundle } from '../../model/bundle.js';
import type { EncoderPool } from '../../model/encoder-pool.js';
import { goldenPairTexts, requireFreeFolder, writeBundle } from '../../model/write-bundle.js';
import type { Command, CommandIo } from '../command.js';
import { engineClient, searchTls } from '../engine-options.js';
import { HEAD_OPTIONS, headSource, type HeadSource, type HeadValues } from '../head-options.js';
import { headText } from '../head-text.js';
import { bundleOf, poolSize, startEncoder } from '../model-options.js';
import { withProgressBar } from '../progress.js';

/** Hits of a search for negatives. */
const HITS = 100;

export const headCommand: Command<typeof HEAD_OPTIONS> = {
  usage: 'head <action>',
  summary: 'Learn a head from labelled pairs or judged queries, and write a bundle that has it (train).',
  actions: ['train'],
  options: HEAD_OPTIONS,
  run: async (values, [action], io) => {
    if (action !== 'train')
      throw new TwinrankError('bad_config', `head ${String(action)} is unknown; say twinrank head train.`);
    const source = headSource(values);
    await requireFreeFolder(values.out);
    const bundle = await bundleOf(values);
    const numbers = textNumbers(bundle.manifest);
    // What is wrong with the data is told before the model is loaded.
    const prepared = await prepare(source, values, numbers, io);
    const encoder = await startEncoder(bundle, values, poolSize('document'), io.signal);
    try {
      const table = await vectorsOf(numbers, bundle, encoder, values.cache, io);
      const trained = await train(
        prepared.problemOf(table),
        values.strength === undefined ? prepared.tried : [values.strength],
        values,
        io,
      );
      const written = await write(bundle, encoder, trained, values);
      io.stdout.write(
        values.json
          ? `${JSON.stringify({ ...trained.report, bundle: { folder: written.folder, name: written.manifest.name, version: written.manifest.version, fingerprint: written.fingerprint } })}\n`
          : `${headText(trained.report)}Written: ${written.folder} (${written.manifest.name} ${written.manifest.version}). ` +
              'Its encoder is the same, so stored vectors stay valid: start the proxy with --model.\n',
      );
      return 0;
    } finally {
      await encoder.close(io.signal);
    }
  },
};

/** Examples by numbers of their texts, and the problem that they make once the vectors are there. */
interface Prepared {
  readonly problemOf: (table: VectorTable) => TrainingProblem;
  readonly tried: readonly number[];
}

function prepare(
  source: HeadSource,
  values: HeadValues,
  numbers: TextNumbers,
  io: CommandIo,
): Promise<Prepared> {
  return source.kind === 'pairs'
    ? preparePairs(source.file, values, numbers, io)
    : prepareLists(source, values, numbers, io);
}

async function preparePairs(
  file: string,
  values: HeadValues,
  numbers: TextNumbers,
  io: CommandIo,
): Promise<Prepared> {
  const { pairs, warnings } = checkPairs(parsePairs(await readInputText(file), file), file);
  for (const warning of warnings) warn(io, warning);
  const numbered = {
    left: Int32Array.from(pairs, ({ textA }) => numbers.numberOf(textA, 'query')),
    right: Int32Array.from(pairs, ({ textB }) => numbers.numberOf(textB, 'document')),
    labels: Uint8Array.from(pairs, ({ label }) => label),
  };
  return {
    problemOf: (vectors) => pairProblem({ vectors, ...numbered }, values),
    tried: PAIR_STRENGTHS,
  };
}

async function prepareLists(
  source: Extract<HeadSource, { kind: 'queries' }>,
  values: HeadValues,
  numbers: TextNumbers,
  io: CommandIo,
): Promise<Prepared> {
  const qrels = parseQrels(await readInputText(source.qrels), source.qrels);
  const all = parseQueries(await readInputText(source.queries), source.queries);
  const queries = trainableQueries(all, qrels, source.queries, source.qrels);
  const client = engineClient(source.to, values);
  const tls = await searchTls(values);
  const searcher = createSearcher({ url: source.to, index: source.index, textField: null, tls });
  try {
    const textFields =
      values.text.length > 0 ? values.text : await textFieldsOf(client, source.index, io.signal);
    const fields = values.fields?.split(',').map((field) => field.trim()) ?? textFields;
    const shape = { fields, size: HITS, template: null, sourceFields: [] };
    const { lists, unknown, useless } = await withProgressBar(
      io.stderr,
      { label: 'Searching', unit: 'queries' },
      (onQuery) =>
        gatherLists(
          queries,
          qrels,
          { searcher, client, bodyOf: (query) => searchBody(query, shape), numbers, onQuery },
          { index: source.index, textFields, negatives: values.negatives },
          io.signal,
        ),
    );
    const warning = unknownDocumentsWarning(unknown, source.qrels, source.index);
    if (warning !== null) warn(io, warning);
    if (useless > 0) warn(io, `${useless} queries have no document left to learn from and are left out.`);
    return {
      problemOf: (vectors) => listProblem({ vectors, ...lists }, values),
      tried: LIST_STRENGTHS,
    };
  } finally {
    searcher.close();
    await client.close();
  }
}

async function vectorsOf(
  numbers: TextNumbers,
  bundle: Bundle,
  encoder: EncoderPool,
  cache: string | undefined,
  io: CommandIo,
): Promise<VectorTable> {
  const known = cache === undefined ? new Map() : await readVectorFile(cache, bundle);
  const result = await withProgressBar(io.stderr, { label: 'Encoding', unit: 'texts' }, (onText) =>
    encodeTexts(numbers, encoder, known, io.signal, onText),
  );
  if (cache !== undefined && result.encoded > 0) await writeVectorFile(cache, bundle, result.known);
  return result.table;
}

function train(
  problem: TrainingProblem,
  tried: readonly number[],
  { seed, force }: HeadValues,
  io: CommandIo,
): Promise<TrainedHead> {
  return withProgressBar(io.stderr, { label: 'Learning', unit: 'fits' }, (onFit) =>
    trainHead(problem, { cores: availableParallelism(), seed, force, tried, signal: io.signal, onFit }),
  );
}

async function write(
  bundle: Bundle,
  encoder: EncoderPool,
  { weights, report }: TrainedHead,
  values: HeadValues,
): Promise<Bundle> {
  const { queries, passages } = goldenPairTexts(bundle);
  const hash = createHash('sha256').update(Buffer.from(weights.buffer)).digest('hex').slice(0, 8);
  const written = await writeBundle(
    bundle,
    {
      folder: values.out,
      name: values.name ?? `${bundle.manifest.name}-trained`,
      // The part behind the plus names the head, as semantic versions name builds.
      version: `${bundle.manifest.version.split('+')[0]}+head.${hash}`,
      head: { weights, training: report },
    },
    {
      queries: await encoder.encode(queries, { kind: 'query' }),
      passages: await encoder.encode(passages, { kind: 'document' }),
    },
  );
  return written;
}

function warn(io: CommandIo, message: string): void {
  io.stderr.write(`Warning: ${message}\n`);
}
