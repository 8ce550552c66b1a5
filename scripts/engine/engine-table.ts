/**
 * The engines that can be started locally, one row each. A further engine is a further row with a folder of
 * its own beside this file that holds its pom.xml and, unless another's serves it, its Launcher.java.
 */

/** What sets one engine apart from another. */
export interface EngineRow {
  /** For people: progress lines and errors. */
  readonly title: string;
  /** Folder below scripts/engine. */
  readonly folder: string;
  /** Folder of its Launcher.java. */
  readonly launcher: string;
  /** What Maven fetches, in MB, for the one who waits. */
  readonly megabytes: number;
  /** Oldest Java that runs it. */
  readonly java: number;
  /** Settings of a lone node on this machine, before the ports and the caller's own. */
  readonly settings: Readonly<Record<string, string>>;
  /** Plugins that the launcher loads from the class path, in the launcher's own form. */
  readonly plugins: readonly string[];
  /** The pom names zips of plugins besides jars. */
  readonly zips?: boolean;
  /** It speaks TLS and knows its users: certificates are made at start, `folder`/security is its configuration. */
  readonly secured?: boolean;
  readonly jvmFlags: readonly string[];
}

/** A user of the secured engine. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Users of the secured engine; what each may do stands in opensearch-secured/security/roles.yml. */
export const SECURED_USERS = {
  admin: { username: 'admin', password: 'admin-Secret-1' },
  alice: { username: 'alice', password: 'alice-Secret-1' },
  bob: { username: 'bob', password: 'bob-Secret-1' },
} as const satisfies Readonly<Record<string, Credentials>>;

const LONE_NODE = {
  'network.host': '127.0.0.1',
  'discovery.type': 'single-node',
  'cluster.name': 'twinrank-local',
  'node.name': 'local',
  // A disk that is nearly full would otherwise leave new indices without a shard, or read-only.
  'cluster.routing.allocation.disk.threshold_enabled': 'false',
} as const;

// Netty's buffers off heap and its per-thread caches double the memory of an engine that serves one user.
const SMALL_NETTY = [
  '-Dio.netty.noUnsafe=true',
  '-Dio.netty.allocator.numDirectArenas=0',
  '-Dio.netty.recycler.maxCapacityPerThread=0',
] as const;

/** What every OpenSearch 2 is started with. */
const OPENSEARCH_2_PLUGINS = [
  'org.opensearch.transport.Netty4Plugin',
  'org.opensearch.analysis.common.CommonAnalysisPlugin',
  'org.opensearch.painless.PainlessPlugin',
  'org.opensearch.index.reindex.ReindexPlugin',
] as const;

export const ENGINES = {
  '2.19.6': {
    title: 'OpenSearch 2.19.6',
    folder: 'opensearch-2',
    launcher: 'opensearch-2',
    megabytes: 50,
    java: 17,
    settings: LONE_NODE,
    plugins: [
      ...OPENSEARCH_2_PLUGINS,
      'org.opensearch.join.ParentJoinPlugin',
      'org.opensearch.index.mapper.MapperExtrasPlugin',
      'org.opensearch.ingest.common.IngestCommonPlugin',
      'org.opensearch.search.aggregations.matrix.MatrixAggregationPlugin',
      'org.opensearch.script.mustache.MustachePlugin',
      'org.opensearch.percolator.PercolatorPlugin',
      'org.opensearch.index.rankeval.RankEvalPlugin',
      'org.opensearch.search.pipeline.common.SearchPipelineCommonModulePlugin',
    ],
    jvmFlags: ['-Dlog4j2.disable.jmx=true', ...SMALL_NETTY],
  },
  '3.8.0': {
    title: 'OpenSearch 3.8.0',
    folder: 'opensearch-3',
    launcher: 'opensearch-3',
    megabytes: 70,
    java: 25,
    settings: LONE_NODE,
    plugins: [
      'netty4:org.opensearch.transport.Netty4ModulePlugin',
      'lang-painless:org.opensearch.painless.PainlessModulePlugin',
      'analysis-common:org.opensearch.analysis.common.CommonAnalysisModulePlugin:lang-painless',
      'reindex:org.opensearch.index.reindex.ReindexModulePlugin',
    ],
    jvmFlags: ['-Dlog4j2.disable.jmx=true', ...SMALL_NETTY],
  },
  '7.10.2': {
    title: 'Elasticsearch 7.10.2',
    folder: 'elasticsearch-7',
    launcher: 'elasticsearch-7',
    megabytes: 30,
    java: 17,
    settings: LONE_NODE,
    plugins: ['org.elasticsearch.transport.Netty4Plugin', 'Launcher$LanguageAnalyzers'],
    jvmFlags: ['-Dlog4j2.disable.jmx=true', ...SMALL_NETTY],
  },
  secured: {
    title: 'OpenSearch 2.19.1 with the security plugin',
    folder: 'opensearch-secured',
    launcher: 'opensearch-2',
    megabytes: 90,
    java: 17,
    settings: LONE_NODE,
    plugins: [...OPENSEARCH_2_PLUGINS, 'org.opensearch.security.OpenSearchSecurityPlugin'],
    zips: true,
    secured: true,
    jvmFlags: ['-Dlog4j2.disable.jmx=true', ...SMALL_NETTY],
  },
  knn: {
    title: 'OpenSearch 2.19.1 with the k-NN plugin',
    folder: 'opensearch-knn',
    launcher: 'opensearch-2',
    megabytes: 90,
    java: 17,
    settings: LONE_NODE,
    plugins: [...OPENSEARCH_2_PLUGINS, 'org.opensearch.knn.plugin.KNNPlugin'],
    zips: true,
    jvmFlags: ['-Dlog4j2.disable.jmx=true', ...SMALL_NETTY],
  },
} as const satisfies Readonly<Record<string, EngineRow>>;

/** The engines' keys, as `--version` takes them. */
export type EngineVersion = keyof typeof ENGINES;
export const DEFAULT_ENGINE: EngineVersion = '2.19.6';
