/** The engine's order and ours for a few searches, as a table. */
import Table from 'cli-table3';

export interface SideBySide {
  readonly engine: string;
  readonly proxy: string;
  readonly index: string;
  readonly field: string;
  readonly queries: readonly string[];
  readonly output: NodeJS.WritableStream;
}

interface Hit {
  readonly id: string;
  readonly score: number;
  readonly text: string;
}

const SHOWN = 3;
const COLUMN = 48;

/** Prints one table per search: three first hits each, with where ours stood in the engine's list. */
export async function showSideBySide(request: SideBySide): Promise<void> {
  const { output } = request;
  for (const query of request.queries) {
    const theirs = await search(request.engine, request, query, 100);
    const ours = await search(request.proxy, request, query, SHOWN);
    const rankOf = new Map(theirs.hits.map((hit, position) => [hit.id, position + 1]));
    const table = new Table({
      head: ['', 'engine', 'score', 'twinrank', 'probability', 'was'],
      colWidths: [4, COLUMN, 8, COLUMN, 13, 6],
      wordWrap: true,
      style: { head: [], border: [] },
    });
    for (let i = 0; i < SHOWN; i++) {
      const left = theirs.hits[i];
      const right = ours.hits[i];
      table.push([
        String(i + 1),
        left?.text ?? '',
        left === undefined ? '' : left.score.toFixed(2),
        right?.text ?? '',
        right === undefined ? '' : right.score.toFixed(3),
        right === undefined ? '' : String(rankOf.get(right.id) ?? '>100'),
      ]);
    }
    output.write(`\n"${query}"\n${table.toString()}\nx-twinrank: ${ours.header}\n`);
  }
}

/** Searches to show for a collection that has no queries: beginnings of a few of its own texts. */
export async function sampleQueries(engine: string, index: string, field: string): Promise<string[]> {
  const body = {
    size: 3,
    query: { function_score: { query: { exists: { field } }, random_score: { seed: 1, field: '_seq_no' } } },
  };
  const answer = await post(`${engine}/${index}/_search`, body);
  return answer.hits
    .map((hit) => textOf(hit, field).split(/\s+/).slice(0, 8).join(' ').slice(0, 60))
    .filter((text) => text !== '');
}

/** Makes what was loaded searchable. */
export async function refresh(engine: string, index: string): Promise<void> {
  const refreshed = await fetch(`${engine}/${index}/_refresh`, { method: 'POST' });
  if (!refreshed.ok) throw new Error(`The index cannot be refreshed: ${await refreshed.text()}`);
}

async function search(
  url: string,
  request: SideBySide,
  query: string,
  size: number,
): Promise<{ hits: Hit[]; header: string }> {
  const { hits, header } = await post(`${url}/${request.index}/_search`, {
    size,
    query: { match: { [request.field]: query } },
  });
  return {
    hits: hits.map((hit) => ({ id: hit._id, score: hit._score, text: textOf(hit, request.field) })),
    header,
  };
}

interface RawHit {
  readonly _id: string;
  readonly _score: number;
  readonly _source: Readonly<Record<string, unknown>>;
}

async function post(url: string, body: unknown): Promise<{ hits: RawHit[]; header: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  const answer = (await response.json()) as { hits: { hits: RawHit[] } };
  return { hits: answer.hits.hits, header: response.headers.get('x-twinrank') ?? '' };
}

function textOf(hit: RawHit, field: string): string {
  const value = hit._source[field];
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}
