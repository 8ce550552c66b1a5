/** What is told of a request when it is over, for metrics and the log. */

/** The services write into it while they work. All but `query` and `notes` come from closed sets. */
export interface RequestRecord {
  /** API of the request; `other` where the service only passes it through. */
  kind: string;
  /** What was done: `passed` on, `failed` by an error of ours, or a word of the service's own. */
  outcome: string;
  /** Why; empty where there is nothing to say. */
  reason: string;
  /** The text that a search is for. It goes to logs only, and only where the operator asks for it. */
  query: string | undefined;
  /** More for the log: numbers and words, never texts of callers. */
  notes: Readonly<Record<string, number | string>> | undefined;
}

/** A record of a request of which nothing is known yet. */
export function newRecord(): RequestRecord {
  return { kind: 'other', outcome: 'passed', reason: '', query: undefined, notes: undefined };
}

/** How a request ended. */
export interface RequestEnd {
  /** From when its head was there until the answer was out or the caller had left, in milliseconds. */
  readonly ms: number;
  /** Of the answer; 0 where none was begun. */
  readonly status: number;
  /** Bytes on the wire, heads included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The caller did not take the whole answer. */
  readonly isCancelled: boolean;
}
