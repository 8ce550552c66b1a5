/** `twinrank load`: writes a file of documents to an index, through the sidecar so that they get their vectors. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { WriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { TwinrankError } from '../../errors.js';
import { createLoad } from '../../ingest/load/load-file.js';
import type { Load, LoadResult } from '../../ingest/load/load-file.js';
import { createEngineClient } from '../../search-engine/client.js';
import type { Command, CommandIo } from '../command.js';
import { TLS_OPTIONS } from '../engine-options.js';
import { flag, httpUrl, integer, text } from '../options.js';
import type { OptionTable } from '../options.js';
import { createProgressBar, createProgressLines } from '../progress.js';
import type { Progress, ProgressState } from '../progress.js';

const LOAD_OPTIONS = {
  to: {
    flag: 'to',
    env: 'TWINRANK_LOAD_TO',
    help: 'Address of the ingest sidecar (or of an engine, for documents without vectors); it may hold credentials.',
    required: true,
    parse: httpUrl,
  },
  index: {
    flag: 'index',
    env: 'TWINRANK_LOAD_INDEX',
    help: 'Index, alias or data stream to write to; it must exist.',
    required: true,
    parse: text,
  },
  idField: {
    flag: 'id-field',
    env: 'TWINRANK_LOAD_ID_FIELD',
    help: 'Field that holds the id of each document. Without it "_id", then "id"; else the engine makes one.',
    parse: text,
  },
  create: {
    flag: 'create',
    env: 'TWINRANK_LOAD_CREATE',
    help: 'Only write documents that do not exist yet, as data streams demand.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  batchDocuments: {
    flag: 'batch-documents',
    env: 'TWINRANK_LOAD_BATCH_DOCUMENTS',
    help: 'Documents in one request.',
    default: '500',
    parse: integer(1, 100_000),
  },
  batchBytes: {
    flag: 'batch-bytes',
    env: 'TWINRANK_LOAD_BATCH_BYTES',
    help: 'Bytes in one request.',
    default: '5000000',
    parse: integer(1_000, 100_000_000),
  },
  concurrency: {
    flag: 'concurrency',
    env: 'TWINRANK_LOAD_CONCURRENCY',
    help: 'Requests under way at once.',
    default: '2',
    parse: integer(1, 64),
  },
  retries: {
    flag: 'retries',
    env: 'TWINRANK_LOAD_RETRIES',
    help: 'How often a document that was refused for now is sent again.',
    default: '8',
    parse: integer(0, 100),
  },
  failures: {
    flag: 'failures',
    env: 'TWINRANK_LOAD_FAILURES',
    help: 'File for the documents that were not written; it can be loaded again.',
    parse: text,
  },
  json: {
    flag: 'json',
    env: null,
    help: 'Progress and summary as JSON lines.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  ...TLS_OPTIONS,
} satisfies OptionTable;

/** Failures that are told one by one on the terminal; the rest are in the failures file. */
const TOLD_FAILURES = 10;
/** Engines take requests up to 100 MB by default. */
const MAX_DOCUMENT_BYTES = 100_000_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** A batch may wait behind others for its vectors. */
const REQUEST_TIMEOUT_MS = 300_000;

export const loadCommand: Command<typeof LOAD_OPTIONS> = {
  usage: 'load <file>',
  summary: 'Write a file of documents (.jsonl, .csv, also .gz) to an index.',
  options: LOAD_OPTIONS,
  run: async (values, positionals, io) => {
    const file = fileOf(positionals);
    const client = createEngineClient(values.to, {
      caFile: values.ca,
      insecure: values.insecure,
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
    const failures = await createFailureLog(values.failures ?? null, file, io);
    const load = createLoad(
      { client, onFailure: failures.record },
      {
        ...values,
        file,
        idField: values.idField ?? null,
        mode: values.create ? 'create' : 'index',
        maxDocumentBytes: MAX_DOCUMENT_BYTES,
        firstDelay: FIRST_DELAY_MS,
        maxDelay: MAX_DELAY_MS,
      },
    );
    const progress = createProgress(load, values.json, io);
    try {
      await load.run(io.signal);
    } finally {
      progress.stop();
      await failures.close();
      await client.close();
      // A load that was stopped half-way has something to tell too; one that never began has not.
      if (load.result().requests > 0)
        writeSummary(load.result(), values.index, failures.told(), values.json, io);
    }
    if (load.result().requests === 0)
      writeSummary(load.result(), values.index, failures.told(), values.json, io);
    return load.result().failed === 0 ? 0 : 1;
  },
};

function fileOf(positionals: readonly string[]): string {
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) {
    throw new TwinrankError('bad_config', 'Give one file: twinrank load FILE --to URL --index NAME');
  }
  return file;
}

interface FailureLog {
  readonly record: (failure: { readonly line: number; readonly reason: string }, wrapped: Buffer) => void;
  /** What the summary says about failures that were not told one by one. */
  told(): string;
  close(): Promise<void>;
}

async function createFailureLog(path: string | null, file: string, io: CommandIo): Promise<FailureLog> {
  if (path !== null && resolve(path) === resolve(file)) {
    throw new TwinrankError('bad_config', '--failures names the file that is loaded; give it another name.');
  }
  const stream = path === null ? null : await openForWriting(path);
  let count = 0;
  return {
    record: ({ line, reason }, wrapped) => {
      count++;
      if (count <= TOLD_FAILURES) io.stderr.write(`${file}:${line}: ${reason}\n`);
      stream?.write(wrapped);
    },
    told: () => {
      if (count === 0) return '';
      if (path !== null) return ` All that failed are in ${path}.`;
      return count > TOLD_FAILURES
        ? ` Told are the first ${TOLD_FAILURES}; --failures FILE keeps all of them.`
        : '';
    },
    close: async () => {
      if (stream === null) return;
      stream.end();
      await once(stream, 'close');
    },
  };
}

async function openForWriting(path: string): Promise<WriteStream> {
  const stream = createWriteStream(path);
  try {
    await once(stream, 'open');
  } catch (error) {
    throw new TwinrankError('bad_config', `--failures: ${path} cannot be written (${String(error)}).`, {
      cause: error,
    });
  }
  return stream;
}

function createProgress(load: Load, json: boolean, io: CommandIo): Progress {
  const read = (): ProgressState => {
    const { documents, failed, read: done, size: total } = load.progress();
    return { done, total, count: documents, failed };
  };
  if (json) return createProgressLines(io.stdout, read, { label: 'load', unit: 'documents', everyMs: 2_000 });
  return createProgressBar(io.stderr, read, { label: 'Loading', unit: 'documents', everyMs: 200 });
}

function writeSummary(result: LoadResult, index: string, told: string, json: boolean, io: CommandIo): void {
  if (json) {
    io.stdout.write(`${JSON.stringify({ event: 'summary', index, ...result })}\n`);
    return;
  }
  const { documents, failed, retried, seconds } = result;
  const rate = seconds > 0 ? Math.round(documents / seconds) : 0;
  const again = retried === 0 ? '' : `, ${retried} sent again`;
  io.stdout.write(
    `${documents} documents written to ${index}, ${failed} failed${again}, in ${seconds.toFixed(1)} s (${rate}/s).${told}\n`,
  );
}
