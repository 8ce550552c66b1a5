/**
 * The engines that can be started locally, one row each. A further engine is a further row with a folder of
 * its own beside this file that holds its pom.xml, Launcher.java and log4j2.properties.
 */

/** What sets one engine apart from another. */
export interface EngineRow {
  /** For people: progress lines and errors. */
  readonly title: string;
  /** Folder below scripts/engine. */
  readonly folder: string;
  /** Oldest Java that runs it. */
  readonly java: number;
  /** Settings of a lone node on this machine, before the ports and the caller's own. */
  readonly settings: Readonly<Record<string, string>>;
  /** Plugin classes that the launcher loads from the class path. */
  readonly plugins: readonly string[];
  readonly jvmFlags: readonly string[];
}

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

export const ENGINES = {
  '2.19.6': {
    title: 'OpenSearch 2.19.6',
    folder: 'opensearch-2',
    java: 17,
    settings: LONE_NODE,
    plugins: [
      'org.opensearch.transport.Netty4Plugin',
      'org.opensearch.analysis.common.CommonAnalysisPlugin',
      'org.opensearch.painless.PainlessPlugin',
      'org.opensearch.index.reindex.ReindexPlugin',
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
} as const satisfies Readonly<Record<string, EngineRow>>;

/** The engines' keys, as `--version` takes them. */
export type EngineVersion = keyof typeof ENGINES;
export const DEFAULT_ENGINE: EngineVersion = '2.19.6';
