/** What a worker is told when it starts, read from the manifest. Pure. */
import type { Bundle } from './bundle.js';
import { goldenProbe } from './golden.js';
import type { WorkerSetup } from './worker-protocol.js';

/** The setup of a bundle's workers, for startEncoderThread. */
export function workerSetupOf(
  { manifest, paths, golden }: Bundle,
  threads: number,
  niceness: number,
): WorkerSetup {
  return {
    paths,
    threads,
    niceness,
    dimensions: manifest.dimensions,
    maxTokens: manifest.maxTokens,
    normalize: manifest.normalize,
    prefixes: { query: manifest.queryPrefix, document: manifest.documentPrefix },
    inputs: manifest.inputs,
    output: manifest.output,
    padId: manifest.padId,
    probe: goldenProbe({ golden }),
  };
}
