/** What doctor finds: one verdict for each check, and the exit code that follows. Pure. */

/** `skipped`: could not be looked at, because of what another finding says or because nobody asked for it. */
export type Status = 'ok' | 'warn' | 'fail' | 'skipped';

/** Every check, by the heading that it stands under. The names are for scripts and stay as they are. */
export const CHECKS = {
  Machine: ['node', 'cores', 'memory', 'environment'],
  Engine: ['engine', 'tls', 'credentials', 'version', 'health', 'clock', 'permissions'],
  Model: ['model', 'model-speed', 'encode-budget'],
  Indices: [
    'index',
    'mapping',
    'index-model',
    'text-fields',
    'source',
    'window',
    'blocks',
    'template',
    'vectors',
  ],
  Searches: ['search-time', 'proxy-search'],
  Services: ['proxy', 'proxy-admin', 'sidecar', 'sidecar-admin'],
} as const;

export type Heading = keyof typeof CHECKS;
export type CheckName = (typeof CHECKS)[Heading][number];

export interface Finding {
  readonly check: CheckName;
  /** The index that it is about, where it is about one. */
  readonly index?: string;
  readonly status: Status;
  /** What is so, in a sentence. */
  readonly message: string;
  /** What to do about it; always there for `fail`. */
  readonly remedy?: string;
  /** Figures for scripts. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** How many findings there are of each status. */
export function countFindings(findings: readonly Finding[]): Readonly<Record<Status, number>> {
  const counts = { ok: 0, warn: 0, fail: 0, skipped: 0 };
  for (const { status } of findings) counts[status]++;
  return counts;
}

/** 1 where something failed, or with `strict` where there is a warning; else 0. */
export function exitCodeOf(findings: readonly Finding[], strict: boolean): 0 | 1 {
  const { warn, fail } = countFindings(findings);
  return fail > 0 || (strict && warn > 0) ? 1 : 0;
}

/** The heading of a check. */
export function headingOf(check: CheckName): Heading {
  const found = Object.entries(CHECKS).find(([, names]) => (names as readonly string[]).includes(check));
  return (found?.[0] ?? 'Machine') as Heading;
}
