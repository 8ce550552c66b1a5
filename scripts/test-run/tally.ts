/** Counts tests from the events of node:test: each leaf once, and whatever else went wrong around them. */
import { resolve } from 'node:path';
import type { EventData } from 'node:test';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

type Finished = Pick<
  EventData.TestPass | EventData.TestFail,
  'name' | 'nesting' | 'file' | 'skip' | 'todo'
> & {
  readonly details: { readonly type?: string | undefined; readonly error?: unknown };
};

/**
 * A tally to feed with `test:pass` and `test:fail` events. A test that has subtests is not counted itself,
 * unless it failed for a reason of its own, such as a hook; nor is a file, unless it crashed or hung.
 */
export class Tally {
  readonly counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  /** Per file and depth: results seen whose parent has not been reported yet. */
  readonly #open = new Map<string, number[]>();

  pass(test: Finished): void {
    const isLeaf = this.#isLeaf(test);
    if (isFile(test) || !isLeaf) return;
    // A suite that is skipped as a whole does not report its tests.
    if (isSet(test.skip) || isSet(test.todo)) this.counts.skipped += 1;
    else if (!isSuite(test)) this.counts.passed += 1;
  }

  fail(test: Finished): void {
    const isLeaf = this.#isLeaf(test);
    if (isSet(test.todo)) this.counts.skipped += 1;
    else if (isLeaf || failureType(test) !== 'subtestsFailed') this.counts.failed += 1;
  }

  #isLeaf(test: Finished): boolean {
    const file = test.file ?? '';
    const depths = this.#open.get(file) ?? [];
    this.#open.set(file, depths);
    const children = depths[test.nesting + 1] ?? 0;
    depths[test.nesting + 1] = 0;
    depths[test.nesting] = (depths[test.nesting] ?? 0) + 1;
    return children === 0;
  }
}

function isSuite(test: Finished): boolean {
  return test.details.type === 'suite';
}

/** node:test reports a file without any test as one passed test that bears the file's path. */
function isFile(test: Finished): boolean {
  return test.nesting === 0 && test.file !== undefined && resolve(test.name) === resolve(test.file);
}

function isSet(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false;
}

function failureType(test: Finished): unknown {
  const error = test.details.error;
  return typeof error === 'object' && error !== null && 'failureType' in error
    ? error.failureType
    : undefined;
}

/** `12 passed, 0 failed`, and the skipped ones where there are any. */
export function summaryLine(counts: Readonly<Counts>): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
