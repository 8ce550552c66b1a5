/**
 * The window algebra. The engine is asked for its first max(W, from + size) hits; the first W are reordered, the
 * tail keeps the engine's order, and the caller's page is cut out. W is the same for every page, so paging through
 * shows every hit once.
 */

export interface Page {
  readonly from: number;
  readonly size: number;
}

/** What to ask the engine for. */
export interface WindowPlan extends Page {
  readonly window: number;
  /** `size` of the engine's request, whose `from` is 0. */
  readonly fetch: number;
}

export type WindowSkip = 'size_zero' | 'beyond_window' | 'max_result_window';

/**
 * @param window configured W
 * @param maxResultWindow the index's `index.max_result_window`: the engine refuses from + size above it, and W
 *   is held below it
 */
export function planWindow(page: Page, window: number, maxResultWindow: number): WindowPlan | WindowSkip {
  const { from, size } = page;
  const w = Math.min(window, maxResultWindow);
  if (size === 0) return 'size_zero';
  if (from >= w) return 'beyond_window';
  if (from + size > maxResultWindow) return 'max_result_window';
  return { from, size, window: w, fetch: Math.max(w, from + size) };
}

/**
 * Positions in the engine's list, in the order of the caller's page.
 * @param order permutation of 0 … min(window, count) - 1: the reranked head
 * @param count how many hits the engine returned
 */
export function pagePositions(order: readonly number[], count: number, page: Page): number[] {
  const positions: number[] = [];
  for (let i = page.from; i < Math.min(page.from + page.size, count); i++) positions.push(order[i] ?? i);
  return positions;
}
