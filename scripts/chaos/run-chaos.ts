/** Runs seeds of the scenarios over one cluster, each with an index of its own. */
import { performance } from 'node:perf_hooks';
import type { Cluster } from '../engine/cluster.js';
import { reindexScenario } from './reindex-scenario.js';
import type { ScenarioOptions, ScenarioReport } from './scenario.js';
import { sidecarScenario } from './sidecar-scenario.js';

const SCENARIOS = {
  sidecar: sidecarScenario,
  reindex: reindexScenario,
} as const satisfies Readonly<Record<string, (options: ScenarioOptions) => Promise<ScenarioReport>>>;

export type ScenarioName = keyof typeof SCENARIOS;
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[];

export interface ChaosOptions {
  readonly cluster: Cluster;
  readonly scenarios: readonly ScenarioName[];
  readonly firstSeed: number;
  readonly seeds: number;
  readonly documents: number;
  readonly titles: number;
  readonly log: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  readonly onResult?: (result: ChaosResult) => void;
}

export interface ChaosResult extends ScenarioReport {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly seconds: number;
}

/** Runs them one after the other, whatever becomes of each. Rejects where a scenario cannot run at all. */
export async function runChaos(options: ChaosOptions): Promise<readonly ChaosResult[]> {
  const results: ChaosResult[] = [];
  for (let i = 0; i < options.seeds; i++) {
    for (const scenario of options.scenarios) {
      options.signal.throwIfAborted();
      const seed = options.firstSeed + i;
      const started = performance.now();
      const report = await SCENARIOS[scenario]({ ...options, seed });
      const result = { ...report, scenario, seed, seconds: (performance.now() - started) / 1000 };
      results.push(result);
      options.onResult?.(result);
    }
  }
  return results;
}
