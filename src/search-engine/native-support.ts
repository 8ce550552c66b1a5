/**
 * What the engine has of vector fields of its own: detected from its version and plugins, so that what is missing is
 * said before an index is touched.
 */
import { TwinrankError } from '../errors.js';
import { reasonOf, type EngineClient } from './client.js';
import { isRecord } from './json-value.js';
import type { NativeField, NativeType } from './mapping-meta.js';

/** An index setting that the vector field needs, and that only a new index can have. */
export interface NeededSetting {
  readonly name: string;
  readonly value: boolean;
  /** What holds where an index does not set it. */
  readonly unset: boolean;
  /** An index that has it otherwise is refused; else it is a warning. */
  readonly must: boolean;
  /** What goes wrong otherwise. */
  readonly because: string;
}

/** What an engine can do for vectors of some dimensions. */
export interface NativeSupport {
  readonly type: NativeType;
  /** It builds a graph, so that nearest-neighbour queries work. */
  readonly indexed: boolean;
  readonly settings: readonly NeededSetting[];
}

/** An engine as it describes itself. */
export interface EngineIdentity {
  readonly name: 'OpenSearch' | 'Elasticsearch';
  /** For example `2.19.1`. */
  readonly version: string;
}

/**
 * Asks the engine what it is and whether its nodes have the plugin.
 * @throws bad_config where it cannot, with what is missing
 */
export async function detectNativeSupport(
  client: EngineClient,
  dimensions: number,
  values: NativeField['values'],
  signal: AbortSignal,
): Promise<NativeSupport> {
  const root = await client.request({ method: 'GET', path: '/', signal });
  const engine = root.status === 200 ? identityOf(root.body) : undefined;
  if (engine === undefined) {
    throw new TwinrankError(
      'upstream_answer',
      `${client.address} does not say which engine it is (${reasonOf(root)}). Give credentials that may read "GET /", or use --storage binary.`,
    );
  }
  const support = nativeSupport(engine, dimensions, values);
  if (engine.name === 'OpenSearch') await requireKnnPlugin(client, signal);
  return support;
}

/** What `GET /` says; undefined where it is not such an answer. */
export function identityOf(body: unknown): EngineIdentity | undefined {
  const version = isRecord(body) ? body['version'] : undefined;
  if (!isRecord(version) || typeof version['number'] !== 'string') return undefined;
  return {
    name: version['distribution'] === 'opensearch' ? 'OpenSearch' : 'Elasticsearch',
    version: version['number'],
  };
}

/** As {@link detectNativeSupport}, from the version alone. */
export function nativeSupport(
  engine: EngineIdentity,
  dimensions: number,
  values: NativeField['values'],
): NativeSupport {
  const support = engine.name === 'OpenSearch' ? openSearch(engine) : elasticsearch(engine, values);
  if (dimensions > support.maxDimensions) {
    throw new TwinrankError(
      'bad_config',
      `${engine.name} ${engine.version} takes ${support.type} fields of at most ${support.maxDimensions} dimensions, the model has ` +
        `${dimensions}. Use --storage binary.`,
    );
  }
  return support;
}

interface LimitedSupport extends NativeSupport {
  readonly maxDimensions: number;
}

function openSearch(engine: EngineIdentity): LimitedSupport {
  if (!isAtLeast(engine, 2, 2)) throw tooOld(engine, '2.2, which brought the lucene engine for knn_vector');
  return {
    type: 'knn_vector',
    indexed: true,
    maxDimensions: isAtLeast(engine, 2, 12) ? 16_000 : 1024,
    settings: [
      {
        name: 'index.knn',
        value: true,
        unset: false,
        must: true,
        because: 'it has no graphs of vectors',
      },
      ...(isAtLeast(engine, 2, 19)
        ? [
            {
              name: 'index.knn.derived_source.enabled',
              value: false,
              unset: isAtLeast(engine, 3, 0),
              must: false,
              because: 'documents come back printed anew instead of with the bytes that were sent',
            },
          ]
        : []),
    ],
  };
}

function elasticsearch(engine: EngineIdentity, values: NativeField['values']): LimitedSupport {
  if (!isAtLeast(engine, 7, 3)) throw tooOld(engine, '7.3, which brought dense_vector in its present form');
  const indexed = isAtLeast(engine, 8, 0);
  if (!indexed && values === 'instead') {
    throw new TwinrankError(
      'bad_config',
      `Elasticsearch ${engine.version} cannot give dense_vector values beside a filtered _source. Use --storage both or --storage binary.`,
    );
  }
  const maxDimensions = isAtLeast(engine, 8, 11)
    ? 4096
    : isAtLeast(engine, 8, 8) || (!indexed && isAtLeast(engine, 7, 6))
      ? 2048
      : 1024;
  return {
    type: 'dense_vector',
    indexed,
    maxDimensions,
    settings: isAtLeast(engine, 9, 2)
      ? [
          {
            name: 'index.mapping.exclude_source_vectors',
            value: false,
            unset: true,
            must: true,
            because: 'its _source comes without the vectors',
          },
        ]
      : [],
  };
}

function isAtLeast({ version }: EngineIdentity, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function tooOld(engine: EngineIdentity, needed: string): TwinrankError {
  return new TwinrankError(
    'bad_config',
    `${engine.name} ${engine.version} has no vector field that can be used here; it needs ${needed}. Use --storage binary.`,
  );
}

/** Where the engine will not list its plugins, its answer to the mapping tells. */
async function requireKnnPlugin(client: EngineClient, signal: AbortSignal): Promise<void> {
  const answer = await client.request({ method: 'GET', path: '/_nodes/plugins', signal });
  const nodes = isRecord(answer.body) ? answer.body['nodes'] : undefined;
  if (answer.status !== 200 || !isRecord(nodes)) return;
  const without = nodesWithoutKnn(Object.values(nodes));
  if (without.length > 0) {
    throw new TwinrankError(
      'bad_config',
      `The k-NN plugin is not on ${without.map((name) => `"${name}"`).join(', ')} of ${client.address}: a knn_vector field needs it on ` +
        'every node that holds data. Install opensearch-knn there, or use --storage binary.',
    );
  }
}

/** Names of the data nodes of a `_nodes/plugins` answer that lack the k-NN plugin. */
export function nodesWithoutKnn(nodes: readonly unknown[]): string[] {
  const names: string[] = [];
  for (const node of nodes) {
    if (!isRecord(node)) continue;
    const roles = node['roles'];
    if (Array.isArray(roles) && !roles.includes('data')) continue;
    const plugins = Array.isArray(node['plugins']) ? (node['plugins'] as unknown[]) : [];
    const hasKnn = plugins.some(
      (plugin) => isRecord(plugin) && /(^|[.-])knn([.-]|$)/i.test(String(plugin['name'])),
    );
    if (!hasKnn) names.push(String(node['name']));
  }
  return names;
}

/** What an existing index, by its flat settings, has otherwise than needed: the first that refuses it, and the warnings. */
export function unmetSettings(
  needed: readonly NeededSetting[],
  flat: Readonly<Record<string, unknown>>,
): { readonly refusal: NeededSetting | undefined; readonly warnings: readonly NeededSetting[] } {
  const unmet = needed.filter(({ name, value, unset }) => {
    const own = flat[name];
    return (own === undefined ? unset : String(own) === 'true') !== value;
  });
  return { refusal: unmet.find(({ must }) => must), warnings: unmet.filter(({ must }) => !must) };
}
