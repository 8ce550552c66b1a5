/**
 * The only file that knows onnxruntime: padded token ids in, one raw (not normalised) vector per row out.
 * onnxruntime-node computes on the calling thread, so this is used from worker threads only.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';

export interface SessionOptions {
  /** Threads that share one batch, the calling one included. */
  readonly threads: number;
  readonly inputs: { readonly ids: string; readonly mask: string };
  readonly output: string;
  readonly padId: number;
}

export interface EncoderSession {
  /** Rows of ids, padded here to the longest; returns rows x dimensions numbers, row by row. */
  run(rows: readonly (readonly number[])[]): Promise<{ data: Float32Array; dimensions: number }>;
}

/** Loads the ONNX file; throws onnxruntime's own error, or a plain one that names a missing input or output. */
export async function createSession(file: string, options: SessionOptions): Promise<EncoderSession> {
  const session = await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    // Spinning threads take whole cores from the event loop and the other workers between two operators.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
  const { inputs, output, padId } = options;
  for (const key of ['ids', 'mask'] as const) {
    requireName('input', inputs[key], session.inputNames, `"inputs.${key}"`);
  }
  requireName('output', output, session.outputNames, '"output"');
  const unfed = session.inputNames.filter((name) => name !== inputs.ids && name !== inputs.mask);
  if (unfed.length > 0) {
    throw new Error(
      `its graph also wants the input ${unfed.join(', ')}; only token ids and attention mask are given. Export it with these two.`,
    );
  }
  return {
    async run(rows) {
      const { ids, mask, shape } = padRows(rows, padId);
      const feeds = {
        [inputs.ids]: new Tensor('int64', ids, shape),
        [inputs.mask]: new Tensor('int64', mask, shape),
      };
      const result = (await session.run(feeds, [output]))[output];
      if (result?.type !== 'float32') throw new Error(`the output "${output}" must be float32.`);
      return { data: result.data as Float32Array, dimensions: result.dims.at(-1) ?? 0 };
    },
  };
}

function requireName(what: string, name: string, names: readonly string[], key: string): void {
  if (names.includes(name)) return;
  throw new Error(
    `its graph has no ${what} "${name}"; it has ${names.join(', ')}. Name the right one in ${key} of manifest.json.`,
  );
}

function padRows(rows: readonly (readonly number[])[], padId: number) {
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const ids = new BigInt64Array(rows.length * longest).fill(BigInt(padId));
  const mask = new BigInt64Array(rows.length * longest);
  for (const [index, row] of rows.entries()) {
    for (const [position, id] of row.entries()) {
      ids[index * longest + position] = BigInt(id);
      mask[index * longest + position] = 1n;
    }
  }
  return { ids, mask, shape: [rows.length, longest] };
}
