/**
 * Sends writes as a careful client does, and notes what became of each. What was lost on the way is sent again
 * under the same action where that cannot write it twice; an item without an id is not.
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bulkItems, errorText, meaningOf, singleItem, type ItemAnswer } from './answers.js';
import type { Operation, TrackedDocument } from './ledger.js';
import { sendOnce, type Answered, type Lost, type PlainRequest } from './send.js';

const ANSWER_LIMIT_MS = 60_000;
const GIVE_UP_MS = 240_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** One operation on one document, on its way. */
export interface Item {
  readonly document: TrackedDocument;
  readonly operation: Operation;
}

export interface WriterOptions {
  readonly url: string;
  readonly index: string;
  /** When the run began, of Date.now(). */
  readonly started: number;
  /** Whether the engine was short of a node at some time between the two, and may have repeated work by itself. */
  readonly nodeWasDown: (from: number, to: number) => boolean;
  /** Something that must not happen was seen. */
  readonly onProblem: (text: string) => void;
}

export class Writer {
  readonly lost: Lost[] = [];
  sentAgain = 0;
  readonly #options: WriterOptions;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Writes the items, as one bulk body or (a lone one) as a request of its own, until each has its outcome. */
  async write(items: readonly Item[], form: 'bulk' | 'single'): Promise<void> {
    const end = Date.now() + GIVE_UP_MS;
    let wait = FIRST_WAIT_MS;
    let open = items;
    while (open.length > 0) {
      const request = form === 'bulk' ? this.#bulk(open) : this.#single(open[0] as Item);
      const answer = await sendOnce(this.#options.url, this.#agent, request, ANSWER_LIMIT_MS);
      if (answer.kind === 'lost') this.lost.push(answer);
      open = this.#note(open, form, request, answer);
      if (open.length === 0) return;
      if (Date.now() > end) return giveUp(open);
      this.sentAgain += open.length;
      await sleep(wait);
      wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    }
  }

  #bulk(items: readonly Item[]): PlainRequest {
    const body = items.map(({ document, operation: { action, source } }) => {
      const id = document.id === undefined ? '' : `"_id":${JSON.stringify(document.id)}`;
      const line = `{"${action}":{${id}}}\n`;
      if (action === 'delete') return line;
      return `${line}${action === 'update' ? `{"doc":${source}}` : source}\n`;
    });
    const path = `/${this.#options.index}/_bulk`;
    return { method: 'POST', path, body: body.join(''), type: 'application/x-ndjson' };
  }

  #single({ document, operation: { action, source } }: Item): PlainRequest {
    const at = (api: string): string => `/${this.#options.index}/${api}/${document.id}`;
    const type = 'application/json';
    switch (action) {
      case 'create':
        return { method: 'PUT', path: at('_create'), body: source, type };
      case 'index':
        return document.id === undefined
          ? { method: 'POST', path: `/${this.#options.index}/_doc`, body: source, type }
          : { method: 'PUT', path: at('_doc'), body: source, type };
      case 'update':
        return { method: 'POST', path: at('_update'), body: `{"doc":${source}}`, type };
      case 'delete':
        return { method: 'DELETE', path: at('_doc'), body: '', type };
    }
  }

  /** Notes the answer with each item; returns those to be sent again. */
  #note(
    items: readonly Item[],
    form: 'bulk' | 'single',
    request: PlainRequest,
    answer: Answered | Lost,
  ): readonly Item[] {
    const { onProblem, nodeWasDown, started } = this.#options;
    const name = form === 'bulk' ? `bulk of ${items.length}` : `${request.method} ${request.path}`;
    const tell = ({ operation }: Item, text: string): void => {
      const after = `${((answer.ended - answer.began) / 1000).toFixed(2)} s`;
      operation.attempts.push({
        at: answer.began - started,
        request: name,
        answer: `${text} after ${after}`,
      });
    };
    const whole = wholeOutcome(form, answer);
    if (whole !== undefined) {
      return items.filter((item) => {
        tell(item, whole.text);
        if (whole.meaning === 'refused')
          onProblem(`a ${name} with nothing wrong in it was refused: ${whole.text}`);
        return settle(item, whole.meaning);
      });
    }
    const { status, text } = answer as Answered;
    const answers =
      form === 'bulk'
        ? (bulkItems(text) ?? [])
        : items.map((i) => singleItem(i.operation.action, status, text));
    if (answers.length !== items.length)
      onProblem(`a ${name} was answered with ${answers.length} items: ${text.slice(0, 300)}`);
    const disturbed = nodeWasDown(answer.began, answer.ended);
    return items.filter((item, i) => {
      const got = answers[i];
      if (got === undefined) {
        tell(item, 'no item in the reply');
        return settle(item, 'unclear');
      }
      const { document, operation } = item;
      tell(item, got.error === undefined ? String(got.status) : `${got.status} ${got.error}`);
      const meaning = meaningOf(operation.action, got.status, operation.unclear || disturbed);
      if (meaning === 'refused')
        onProblem(
          `document ${document.n}: ${operation.action} was refused: ${got.status} ${got.error ?? ''}`,
        );
      checkPlace(item, got, onProblem);
      if (meaning === 'done') document.id ??= got.id;
      return settle(item, meaning);
    });
  }
}

/** Outcome of a request as a whole; undefined where each item has one of its own. */
function wholeOutcome(
  form: 'bulk' | 'single',
  answer: Answered | Lost,
): { readonly meaning: 'not done' | 'unclear' | 'refused'; readonly text: string } | undefined {
  if (answer.kind === 'lost')
    return {
      meaning: answer.mayHaveArrived ? 'unclear' : 'not done',
      text: `no answer (${answer.reason})`,
    };
  if (form === 'single' || answer.status === 200) return undefined;
  const text = errorText(answer.status, answer.text);
  if (answer.status === 429) return { meaning: 'not done', text };
  return { meaning: answer.status >= 500 ? 'unclear' : 'refused', text };
}

/** Gives an item its outcome, or returns true where it is to be sent again. */
function settle({ document, operation }: Item, meaning: ReturnType<typeof meaningOf>): boolean {
  switch (meaning) {
    case 'done':
      operation.outcome = 'acknowledged';
      return false;
    case 'refused':
      operation.outcome = operation.unclear ? 'unacknowledged' : 'refused';
      return false;
    case 'not done':
      return true;
    case 'unclear':
      operation.unclear = true;
      if (document.id !== undefined) return true;
      operation.outcome = 'unacknowledged';
      return false;
  }
}

function giveUp(items: readonly Item[]): void {
  for (const { operation } of items) operation.outcome = operation.unclear ? 'unacknowledged' : 'refused';
}

/** The engine answers in the order of the items, under their actions and ids. */
function checkPlace({ document, operation }: Item, got: ItemAnswer, onProblem: (text: string) => void): void {
  const otherId = document.id !== undefined && got.id !== undefined && got.id !== document.id;
  if (got.action !== operation.action || otherId)
    onProblem(
      `document ${document.n}: the answer in place of its ${operation.action} is to ${got.action} ${got.id ?? 'without id'}`,
    );
}
