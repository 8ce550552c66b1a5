/** True for the engine's refusal by a cluster or index block: it stays until somebody lifts it. */
export function isClusterBlock(error: Buffer): boolean {
  return error.includes('cluster_block_exception');
}
