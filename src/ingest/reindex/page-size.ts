/** How many documents the next page asks for: few where documents are large or take long, so that memory stays flat. */

export interface PageLimits {
  /** Most documents of a page. */
  readonly documents: number;
  /** Bytes that a page should not exceed. */
  readonly bytes: number;
  /** Seconds that a page should take, so that little is done twice after a crash. */
  readonly seconds: number;
}

export const DEFAULT_PAGE_LIMITS: PageLimits = { documents: 500, bytes: 10_000_000, seconds: 2 };

/** Pages do not get smaller than this for being slow: texts of like length are encoded together. */
const LEAST_FOR_TIME = 32;

export interface PageSize {
  /** Documents to ask for now. */
  readonly now: () => number;
  /** A page came with so many documents and bytes. */
  seen(documents: number, bytes: number): void;
  /** A page was settled so long after the one before it. */
  took(documents: number, seconds: number): void;
  /** An answer was too large to be read; false where it was of one document already. */
  tooLarge(): boolean;
}

/** Begins small, as nothing is known of the documents yet. */
export function createPageSize(limits: PageLimits): PageSize {
  let forBytes = Math.min(limits.documents, 100);
  let forTime = limits.documents;
  const now = (): number => Math.max(1, Math.min(limits.documents, forBytes, forTime));
  return {
    now,
    seen(documents, bytes) {
      if (documents === 0) return;
      const fitting = Math.floor((limits.bytes * documents) / Math.max(1, bytes));
      // Up by steps: the next documents may be larger than those seen.
      forBytes = Math.max(1, Math.min(fitting, forBytes * 4, limits.documents));
    },
    took(documents, seconds) {
      if (documents === 0) return;
      const fitting = Math.floor((limits.seconds * documents) / Math.max(0.001, seconds));
      forTime = Math.max(LEAST_FOR_TIME, Math.min(fitting, forTime * 2, limits.documents));
    },
    tooLarge() {
      const size = now();
      if (size === 1) return false;
      forBytes = Math.max(1, Math.floor(size / 2));
      return true;
    },
  };
}
