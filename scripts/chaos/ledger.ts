/** What was asked of each document and what was answered: from it follows what the index may hold afterwards. */

export type Action = 'create' | 'index' | 'update' | 'delete';

/**
 * `acknowledged`: the answer says it is done. `unacknowledged`: it may be done or not, and was given up.
 * `refused`: the answer says it is not done, and it was given up.
 */
export type Outcome = 'pending' | 'acknowledged' | 'unacknowledged' | 'refused';

/** One time that an operation was sent. */
export interface Attempt {
  /** Milliseconds since the run began. */
  readonly at: number;
  readonly request: string;
  readonly answer: string;
}

export interface Operation {
  readonly action: Action;
  readonly version: number;
  readonly title: string;
  /** What was sent: a whole source, the part that an update sets, nothing for a delete. */
  readonly source: string;
  readonly attempts: Attempt[];
  outcome: Outcome;
  /** An attempt so far may have been carried out without an answer that says so. */
  unclear: boolean;
}

export interface TrackedDocument {
  readonly n: number;
  /** Given by the client; or else by the engine, and unknown until an answer names it. */
  id: string | undefined;
  /** In the order in which they were sent, each after the one before had its outcome. */
  readonly operations: Operation[];
}

/** What the index may hold of a document; undefined is nothing. */
export interface State {
  readonly version: number;
  readonly title: string;
  /** The source's bytes; undefined once an update has made the engine print it anew. */
  readonly source: string | undefined;
}

/** All states in which a document may be found. */
export function possibleStates(document: TrackedDocument): readonly (State | undefined)[] {
  let states: readonly (State | undefined)[] = [undefined];
  for (const operation of document.operations) {
    if (operation.outcome === 'refused') continue;
    const after = states.map((state) => afterOperation(state, operation));
    states = operation.outcome === 'acknowledged' ? after : [...states, ...after];
  }
  return states;
}

function afterOperation(state: State | undefined, operation: Operation): State | undefined {
  const { version, title, source } = operation;
  switch (operation.action) {
    case 'delete':
      return undefined;
    case 'update':
      return state === undefined ? undefined : { version, title, source: undefined };
    case 'create':
    case 'index':
      return { version, title, source };
  }
}

/** Requests and answers of a document, one a line. */
export function historyOf(document: TrackedDocument): string {
  return document.operations
    .flatMap(({ action, version, outcome, attempts }) => [
      `    ${action} of version ${version}: ${outcome}`,
      ...attempts.map(({ at, request, answer }) => `      ${seconds(at)} ${request} -> ${answer}`),
    ])
    .join('\n');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function operation(action: Action, version: number, title: string, source: string): Operation {
  return { action, version, title, source, attempts: [], outcome: 'pending', unclear: false };
}
