/** What doctor says of the model: is it whole, how fast is it here, and is a query encoded within the budget. Pure. */
import type { BundleCheck } from '../../model/bundle-checks.js';
import type { Finding } from './finding.js';

/** Speed of a model on this machine. */
export interface ModelSpeed {
  readonly titlesPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Part of the budget that a query may take without a warning; the rest is for others who search at the same time. */
const COMFORT = 0.5;

export function modelFinding(checks: readonly BundleCheck[], name: string): Finding {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0)
    return {
      check: 'model',
      status: 'ok',
      message: `${name}: ${checks.map(({ name: check }) => check).join(', ')} as ${checks.length === 1 ? 'it' : 'they'} should be.`,
    };
  return {
    check: 'model',
    status: 'fail',
    message: failed.map(({ name: check, detail }) => `${check}: ${detail}`).join(' '),
    remedy:
      'Copy the bundle again from where it came, or name another with --model; twinrank model verify shows each check.',
  };
}

export function speedFindings(speed: ModelSpeed, budgetMs: number): readonly Finding[] {
  const { titlesPerSecond, p50Ms, p95Ms } = speed;
  const rounded = {
    titles_per_second: Math.round(titlesPerSecond),
    p50_ms: round(p50Ms),
    p95_ms: round(p95Ms),
  };
  return [
    {
      check: 'model-speed',
      status: 'ok',
      message: `${rounded.titles_per_second} titles a second with all cores; one query ${rounded.p50_ms} ms (95 % within ${rounded.p95_ms} ms).`,
      data: rounded,
    },
    budgetFinding(speed, budgetMs),
  ];
}

function budgetFinding({ p50Ms, p95Ms }: ModelSpeed, budgetMs: number): Finding {
  const check = 'encode-budget';
  const remedy =
    'Give the proxy more cores or a cache (--query-cache), take a smaller model, or raise --budget.';
  if (p50Ms > budgetMs)
    return {
      check,
      status: 'fail',
      message: `A query takes ${round(p50Ms)} ms to encode, the proxy waits ${budgetMs} ms: most searches would keep the engine's order.`,
      remedy,
    };
  if (p95Ms > budgetMs * COMFORT)
    return {
      check,
      status: 'warn',
      message: `A query takes up to ${round(p95Ms)} ms of the ${budgetMs} ms that the proxy waits: a few searches at once would keep the engine's order.`,
      remedy,
    };
  return {
    check,
    status: 'ok',
    message: `A query takes up to ${round(p95Ms)} ms of the ${budgetMs} ms that the proxy waits.`,
  };
}

function round(ms: number): number {
  return Number(ms.toFixed(1));
}
