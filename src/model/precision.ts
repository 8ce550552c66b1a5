/** In which numbers an encoder multiplies its matrices, and what that means for the vectors that come out. */
import { createHash } from 'node:crypto';
import type { Bundle } from './bundle.js';
import { INT8_VERSION } from './int8-graph.js';

/** `fp32`: as the bundle's graph has it. `int8`: 8-bit whole numbers, see int8-graph.ts. */
export const PRECISIONS = ['fp32', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * The bundle as it is with that precision: int8 gives other vectors, so they have a fingerprint and a name of their
 * own and are never compared with those of fp32. The encoder's file is made later, by prepareEncoder. Pure.
 */
export function withPrecision(bundle: Bundle, precision: Precision): Bundle {
  if (precision === 'fp32') return bundle;
  return {
    ...bundle,
    precision,
    manifest: { ...bundle.manifest, name: `${bundle.manifest.name}-int8` },
    fingerprint: int8Fingerprint(bundle.manifest.fingerprint),
  };
}

/** Names the int8 vectors of the encoder with that fingerprint. */
export function int8Fingerprint(fingerprint: string): string {
  const lines = [`twinrank-int8-${INT8_VERSION}`, fingerprint];
  return createHash('sha256').update(lines.join('\n'), 'utf8').digest('hex').slice(0, 16);
}
