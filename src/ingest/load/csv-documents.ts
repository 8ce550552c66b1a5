/**
 * Documents of a CSV file (RFC 4180, commas): the first record names the fields, every cell is a text, empty
 * cells are left out (an engine refuses an empty text in a number field). The only file that knows csv-parse.
 */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { TwinrankError } from '../../errors.js';
import { csvRecords } from './csv-records.js';
import type { CsvRecord } from './csv-records.js';
import type { ReadDocument } from './document.js';
import { identify } from './identify.js';
import type { ReaderOptions } from './jsonl-documents.js';

/**
 * Documents in file order. A record with another number of cells than the header, or with broken quotes, is
 * malformed; a header that is unreadable, empty or names a field twice throws `bad_input_file`.
 */
export async function* csvDocuments(
  chunks: AsyncIterable<Buffer>,
  options: ReaderOptions,
): AsyncGenerator<ReadDocument> {
  let header: readonly string[] | null = null;
  for await (const record of csvRecords(chunks, options.maxDocumentBytes)) {
    const cells = cellsOf(record, options.maxDocumentBytes);
    if (header === null) header = checkedHeader(cells);
    else if ('problem' in cells) yield { line: record.line, problem: cells.problem, raw: record.bytes };
    else yield documentOf(header, cells, record, options);
  }
}

type Cells = readonly string[] | { readonly problem: string };

function cellsOf(record: CsvRecord, maxBytes: number): Cells {
  if (record.tooLong) return { problem: `it is longer than ${maxBytes} bytes (is a quote left open?)` };
  if (!isUtf8(record.bytes)) return { problem: 'it is not UTF-8' };
  const text = record.bytes.toString('utf8');
  if (!text.includes('"')) return text.split(',');
  try {
    return parse(text, { relax_column_count: true, record_delimiter: '\n' })[0] ?? [];
  } catch (error) {
    // The parser counts from the start of this record, so its own line number would mislead.
    const reason = (error instanceof Error ? error.message : String(error)).replace(/ (at|on) line \d+/g, '');
    return { problem: `it is not CSV: ${reason}` };
  }
}

function documentOf(
  header: readonly string[],
  cells: readonly string[],
  record: CsvRecord,
  options: ReaderOptions,
): ReadDocument {
  const { line } = record;
  if (cells.length !== header.length) {
    return {
      line,
      problem: `it has ${cells.length} cells where the header has ${header.length}`,
      raw: record.bytes,
    };
  }
  // Written by hand, as an object would take a field named __proto__ for its prototype and sort numeric names.
  const members = header.flatMap((name, i) => {
    const cell = cells[i] ?? '';
    return cell === '' ? [] : [`${JSON.stringify(name)}:${JSON.stringify(cell)}`];
  });
  const identified = identify(Buffer.from(`{${members.join(',')}}`), options.idField);
  return 'problem' in identified
    ? { line, problem: identified.problem, raw: record.bytes }
    : { line, ...identified };
}

function checkedHeader(cells: Cells): readonly string[] {
  const refuse = (what: string): TwinrankError =>
    new TwinrankError('bad_input_file', `The header of the CSV file ${what}`);
  if ('problem' in cells) throw refuse(`cannot be read: ${cells.problem}.`);
  const empty = cells.findIndex((name) => name.trim() === '');
  if (empty !== -1) throw refuse(`has no name for column ${empty + 1}; name every column.`);
  const twice = cells.find((name, i) => cells.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(`names the column "${twice}" twice; rename one.`);
  if (cells.length === 1 && /[;\t]/.test(cells[0] ?? ''))
    throw refuse('is not separated by commas; save the file with commas.');
  return cells;
}
