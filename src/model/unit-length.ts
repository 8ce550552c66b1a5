/** Vectors of length 1. */

/** Divides each row by its L2 norm, in place; a row of zeros stays as it is. */
export function normalizeRows(rows: Float32Array, dimensions: number): void {
  for (let from = 0; from < rows.length; from += dimensions) {
    const row = rows.subarray(from, from + dimensions);
    let squares = 0;
    for (const value of row) squares += value * value;
    const norm = Math.sqrt(squares);
    if (norm === 0) continue;
    for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) / norm;
  }
}
