/** Loads a file into an index: reader, bulk writer and the record of what failed, put together. */
import { TwinrankError } from '../../errors.js';
import { createBulkSend } from '../../search-engine/bulk-send.js';
import { createBulkWriter } from '../../search-engine/bulk-writer.js';
import type { BulkOperation, BulkStatistics, BulkWriterOptions } from '../../search-engine/bulk-writer.js';
import { reasonOf } from '../../search-engine/client.js';
import type { EngineClient } from '../../search-engine/client.js';
import { csvDocuments } from './csv-documents.js';
import { isMalformed } from './document.js';
import type { LoadDocument, ReadDocument } from './document.js';
import { failureLine, malformedLine } from './failures-file.js';
import type { Failure } from './failures-file.js';
import { openInputFile } from './input-file.js';
import type { InputFile } from './input-file.js';
import { jsonlDocuments } from './jsonl-documents.js';
import type { ReaderOptions } from './jsonl-documents.js';
import { operationOf } from './operations.js';
import type { WriteMode } from './operations.js';

export interface LoadOptions extends BulkWriterOptions, ReaderOptions {
  readonly file: string;
  readonly index: string;
  readonly mode: WriteMode;
}

/** How far a load has come. `read` and `size` are bytes of the file on disk. */
export interface LoadProgress {
  readonly documents: number;
  readonly failed: number;
  readonly read: number;
  readonly size: number;
}

export interface LoadDeps {
  readonly client: EngineClient;
  /** Called for each document that was not written; `line` is its line of a failures file. */
  readonly onFailure: (failure: Failure, line: Buffer) => void;
}

/** What was done; `malformed` of the failed ones never reached the engine. */
export interface LoadResult extends BulkStatistics {
  readonly malformed: number;
}

export interface Load {
  /** Runs once, to the end of the file. Rejects where the file or the engine is at fault as a whole. */
  run(signal: AbortSignal): Promise<LoadResult>;
  progress(): LoadProgress;
  result(): LoadResult;
}

export function createLoad({ client, onFailure }: LoadDeps, options: LoadOptions): Load {
  let input: InputFile | null = null;
  let malformed = 0;
  const writer = createBulkWriter<LoadDocument>(
    {
      send: createBulkSend(client, options.index),
      onFailure: ({ origin, status, reason }) => {
        const failure = { line: origin.line, status, reason };
        onFailure(failure, failureLine(failure, origin));
      },
    },
    options,
  );

  async function* operations(read: AsyncIterable<ReadDocument>): AsyncGenerator<BulkOperation<LoadDocument>> {
    for await (const document of read) {
      if (!isMalformed(document)) {
        yield operationOf(document, options.mode);
        continue;
      }
      malformed++;
      const failure = { line: document.line, status: null, reason: document.problem };
      onFailure(failure, malformedLine(failure, document.raw));
    }
  }

  const result = (): LoadResult => {
    const statistics = writer.statistics();
    return { ...statistics, failed: statistics.failed + malformed, malformed };
  };
  return {
    result,
    progress: () => {
      const { documents, failed } = result();
      return { documents, failed, read: input?.bytesRead() ?? 0, size: input?.size ?? 0 };
    },
    run: async (signal) => {
      input = await openInputFile(options.file, signal);
      try {
        await requireIndex(client, options.index, signal);
        const read = input.format === 'csv' ? csvDocuments : jsonlDocuments;
        await writer.write(operations(read(input.stream, options)), signal);
      } catch (error) {
        throw asFileError(error, options.file);
      } finally {
        input.stream.destroy();
      }
      return result();
    },
  };
}

/**
 * An engine makes a missing index on the first write, without the vector field: a slip in the name would
 * give an index that is never reranked.
 */
async function requireIndex(client: EngineClient, index: string, signal: AbortSignal): Promise<void> {
  const answer = await client.request({ method: 'HEAD', path: `/${encodeURIComponent(index)}`, signal });
  if (answer.status === 404) {
    throw new TwinrankError(
      'bad_config',
      `There is no index "${index}" at ${client.address}. Create it first: ` +
        `twinrank mapping apply --to ${client.address} --index ${index} --text FIELD`,
    );
  }
  if (answer.status === 401) {
    throw new TwinrankError(
      'upstream_answer',
      `${client.address} asks for credentials (${reasonOf(answer)}); give them in the address.`,
    );
  }
  // A caller who may only write can be refused here (403) and still succeed.
}

/** Damage that shows while a file is read, such as a broken gzip, in the loader's own words. */
function asFileError(error: unknown, file: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  if (code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new TwinrankError(
      'bad_input_file',
      `${file}: the compressed file is damaged (${String(error)}).`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EIO' || code === 'EISDIR') {
    return new TwinrankError('bad_input_file', `${file}: cannot be read (${String(error)}).`, {
      cause: error,
    });
  }
  return error;
}
