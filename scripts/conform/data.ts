/** The indices that the requests meet: the same documents under each side's names. */

/** Of one engine each, so that answers do not depend on when a refresh or a merge happens. */
const SETTINGS = { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '-1' };

const MAPPINGS = {
  properties: {
    title: { type: 'text', fields: { raw: { type: 'keyword', ignore_above: 256 } } },
    body: { type: 'text', store: true, term_vector: 'with_positions_offsets' },
    brand: { type: 'keyword' },
    price: { type: 'double' },
    stock: { type: 'integer' },
    created: { type: 'date' },
    tags: { type: 'keyword' },
    active: { type: 'boolean' },
    place: { type: 'geo_point' },
    ip: { type: 'ip' },
    suggest: { type: 'completion' },
    reviews: {
      type: 'nested',
      properties: { author: { type: 'keyword' }, stars: { type: 'integer' }, text: { type: 'text' } },
    },
    untouched: { type: 'object', enabled: false },
  },
};

const THINGS = [
  'red city bicycle',
  'blue mountain bicycle with wide tyres',
  'used racing bicycle, carbon frame',
  'helmet for cyclists',
  'forgot my password',
  'reset the account password',
  'refund for a broken parcel',
  '忘记密码怎么办',
  '如何申请退款',
  '自行车 轮胎 更换',
  'Straßenrad für Größe 56',
  'vélo électrique',
  'museum of river history',
  'engine oil for motorcycles',
  'music for long train rides',
  'emoji 🚲 bicycle 🚲',
];
const BRANDS = ['acme', 'velo', 'globex', '上海'];
const COUNT = 48;

/** Number of documents in `{prefix}-docs`. */
export const DOCUMENTS = COUNT;

/** Source texts with what printing JSON anew would lose: spacing, escapes, number forms, a repeated key. */
export function sourceOf(n: number): string {
  const thing = THINGS[n % THINGS.length] ?? '';
  const title = JSON.stringify(`${thing} ${n}`);
  const extra = [
    '"amount": 1.0',
    '"big":9007199254740993',
    '"tiny" : -0.0',
    '"text":"a\\u0301\\/\\ud83d\\udeb2"',
    '"exp":1E+2',
  ][n % 5];
  const day = String((n % 27) + 1).padStart(2, '0');
  return `{ "title":${title},"brand":"${BRANDS[n % 4]}","price":${n}.50,"stock":${n * 3},"created":"2024-01-${day}T00:00:00Z","tags":["t${n % 3}","t${n % 7}"],"active":${n % 2 === 0},"place":{"lat":${40 + (n % 10)}.5,"lon":${n % 20}.25},"ip":"10.0.0.${n}","suggest":${JSON.stringify(thing)},"body":"about ${thing} and more, number ${n}","reviews":[{"author":"ann","stars":${n % 5},"text":"good ${thing}"},{"author":"bob","stars":3,"text":"fair"}],"untouched":{${extra}},"untouched":{${extra}} }`;
}

/** Two repeated keys are an error for some engines, so only the last is kept for them. */
function plainSourceOf(n: number): string {
  return sourceOf(n).replace(/,"untouched":\{[^}]*\}(?=,"untouched")/, '');
}

export interface DataOptions {
  /** Where the documents are written: the engine or the sidecar. */
  readonly writeTo: URL;
  readonly engine: URL;
  readonly prefix: string;
  /** Runs between the making of an index and its first document. */
  readonly prepare?: (index: string) => Promise<void>;
}

/** Makes `{prefix}-docs` (one shard), `{prefix}-more` (three shards), an alias over both and a few odd names. */
export async function createData(options: DataOptions): Promise<void> {
  const { engine, prefix, writeTo } = options;
  const more = { ...SETTINGS, number_of_shards: 3 };
  for (const [index, settings] of [
    [`${prefix}-docs`, SETTINGS],
    [`${prefix}-more`, more],
    [`${prefix}-größe-索引`, SETTINGS],
  ] as const) {
    const mappings = { ...MAPPINGS };
    await call(engine, 'PUT', `/${encodeURIComponent(index)}`, JSON.stringify({ settings, mappings }));
    await options.prepare?.(index);
    const count = index.endsWith('-docs') ? COUNT : 12;
    const body = Array.from(
      { length: count },
      (_, n) => `{"index":{"_id":"${n}"}}\n${plainSourceOf(n)}\n`,
    ).join('');
    const answer = await call(
      writeTo,
      'POST',
      `/${encodeURIComponent(index)}/_bulk?refresh=true`,
      body,
      'application/x-ndjson',
    );
    if (!answer.includes('"errors":false'))
      throw new Error(`The documents were not written: ${answer.slice(0, 500)}`);
  }
  const actions = [
    { add: { index: `${prefix}-docs`, alias: `${prefix}-all` } },
    { add: { index: `${prefix}-more`, alias: `${prefix}-all` } },
    { add: { index: `${prefix}-docs`, alias: `${prefix}-cheap`, filter: { range: { price: { lt: 10 } } } } },
  ];
  await call(engine, 'POST', '/_aliases', JSON.stringify({ actions }));
}

/** Removes all that carries the prefix: indices, data streams, templates, pipelines, scripts. */
export async function removeData(engine: URL, prefix: string): Promise<void> {
  for (const path of [
    `/_data_stream/${prefix}-*`,
    `/${prefix}-*`,
    `/_index_template/${prefix}-*`,
    `/_component_template/${prefix}-*`,
    `/_template/${prefix}-*`,
    `/_ingest/pipeline/${prefix}-*`,
    `/_search/pipeline/${prefix}-pipeline`,
    `/_scripts/${prefix}-script`,
  ])
    await call(engine, 'DELETE', path).catch(() => undefined);
}

async function call(
  base: URL,
  method: string,
  path: string,
  body?: string,
  type = 'application/json',
): Promise<string> {
  const answer = await fetch(new URL(path, base), {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
  return text;
}
