/**
 * Labelled pairs of texts in the plain files that people have: TSV, CSV or JSON lines, with or without a header.
 * Pure: text in, pairs or an error with the line number out.
 */
import { TwinrankError } from '../../errors.js';

export interface LabelledPair {
  /** Where it stands in the file, from 1. */
  readonly line: number;
  readonly textA: string;
  readonly textB: string;
  /** 1 is similar. */
  readonly label: 0 | 1;
}

type Cells = { readonly line: number; readonly cells: readonly string[] };
type Refuse = (line: number, what: string) => TwinrankError;

const COLUMNS = ['text_a', 'text_b', 'label'] as const;

/**
 * Reads pairs; the kind of file is told by its name (`.tsv`, `.txt`, `.csv`, `.jsonl`, `.ndjson`, also with `.gz`,
 * which the caller has unpacked). Throws `bad_input_file`.
 */
export function parsePairs(content: string, name: string): LabelledPair[] {
  const refuse: Refuse = (line, what) => new TwinrankError('bad_input_file', `${name}:${line}: ${what}`);
  const text = content.replace(/^\uFEFF/, '');
  const ending = /\.([a-z]+)(?:\.gz)?$/.exec(name.toLowerCase())?.[1] ?? '';
  switch (ending) {
    case 'jsonl':
    case 'ndjson':
      return jsonRecords(text, refuse).map((cells) => pairOf(cells, refuse));
    case 'csv':
      return fromTable(csvRecords(text, refuse), refuse);
    case 'tsv':
    case 'txt':
      return fromTable(tsvRecords(text), refuse);
    default:
      throw new TwinrankError(
        'bad_input_file',
        `${name}: unknown kind of file; its name must end with .tsv, .txt, .csv or .jsonl, each also with .gz.`,
      );
  }
}

function fromTable(records: readonly Cells[], refuse: Refuse): LabelledPair[] {
  const [first] = records;
  if (first === undefined) return [];
  const names = first.cells.map((cell) => cell.trim().toLowerCase());
  const places = COLUMNS.map((column) => names.indexOf(column));
  const hasHeader = places.every((place) => place >= 0);
  const at = hasHeader ? places : [0, 1, 2];
  return records.slice(hasHeader ? 1 : 0).map(({ line, cells }) => {
    const expected = hasHeader ? names.length : 3;
    if (cells.length !== expected) {
      const hint = hasHeader ? '' : '; without a header the columns are text_a, text_b, label';
      throw refuse(line, `expected ${expected} columns, got ${cells.length}${hint}.`);
    }
    return pairOf({ line, cells: at.map((place) => cells[place] ?? '') }, refuse);
  });
}

function pairOf({ line, cells: [textA = '', textB = '', label = ''] }: Cells, refuse: Refuse): LabelledPair {
  if (textA.trim() === '' || textB.trim() === '')
    throw refuse(
      line,
      `${textA.trim() === '' ? 'text_a' : 'text_b'} is empty; fill it in or take the line out.`,
    );
  const shown = label.trim();
  if (!/^[01](\.0+)?$/.test(shown)) {
    throw refuse(
      line,
      `the label is "${shown.slice(0, 40)}"; expected 1 (similar) or 0 (not). Turn grades into 0 and 1 first.`,
    );
  }
  return { line, textA, textB, label: shown.startsWith('1') ? 1 : 0 };
}

function tsvRecords(text: string): Cells[] {
  return text
    .split(/\r?\n/)
    .map((raw, i) => ({ line: i + 1, cells: raw.split('\t') }))
    .filter(({ cells }) => cells.length > 1 || cells[0]?.trim() !== '');
}

/** Records of RFC 4180: quoted cells may hold commas, doubled quotes and line ends. */
function csvRecords(text: string, refuse: Refuse): Cells[] {
  const records: Cells[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let cells: string[] = [];
  let line = 1;
  let first = 1;
  while (cell.lastIndex < text.length || cells.length > 0) {
    const match = cell.exec(text);
    if (match === null)
      throw refuse(first, 'this record is not CSV: a quote is not closed or stands inside a cell.');
    const [whole, quoted, plain = '', end] = match;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split('\n').length - 1;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0]?.trim() !== '') records.push({ line: first, cells });
    cells = [];
    first = line;
    if (end === '') break;
  }
  return records;
}

function jsonRecords(text: string, refuse: Refuse): Cells[] {
  return text.split(/\r?\n/).flatMap((raw, i) => {
    if (raw.trim() === '') return [];
    const expected = 'expected {"text_a": "...", "text_b": "...", "label": 0 or 1}.';
    let value: unknown;
    try {
      value = JSON.parse(raw);
    } catch {
      throw refuse(i + 1, `this is not JSON; ${expected}`);
    }
    const record = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    const [a, b, label] = COLUMNS.map((column) => record[column]);
    const isLabel = typeof label === 'number' || typeof label === 'string' || typeof label === 'boolean';
    if (typeof a !== 'string' || typeof b !== 'string' || !isLabel) throw refuse(i + 1, expected);
    return [{ line: i + 1, cells: [a, b, String(typeof label === 'boolean' ? Number(label) : label)] }];
  });
}
