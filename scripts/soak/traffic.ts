/** Requests of all kinds through proxy and sidecar, each of them checked. */
import { Agent, request as httpRequest } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/evaluate/random.js';
import type { Interval } from '../chaos/faults.js';
import { pageProblem } from './check-page.js';
import { elementsAt, membersAt } from '../conform/json-ranges.js';
import type { KnownQuery } from './known-pages.js';

export interface Answer {
  readonly status: number;
  readonly header: string;
  readonly text: string;
}

/** What came of the requests of one kind. */
export interface Tally {
  sent: number;
  /** Reranked, or what else was asked for. */
  done: number;
  /** Left to the engine, by reason. */
  readonly failOpen: Map<string, number>;
  /** Failed while the engine was away. */
  engineAway: number;
  readonly ms: number[];
  /** What must not be. */
  readonly problems: string[];
}

export type Kind = 'search' | 'msearch' | 'passed' | 'write';
export const KINDS: readonly Kind[] = ['search', 'msearch', 'passed', 'write'];

function newTally(): Tally {
  return { sent: 0, done: 0, failOpen: new Map(), engineAway: 0, ms: [], problems: [] };
}

export interface TrafficParts {
  readonly proxy: string;
  readonly index: string;
  readonly queries: readonly KnownQuery[];
  /** A document and its answer, got directly. */
  readonly document: { readonly path: string; readonly answer: string };
  /** Writes something; resolves to undefined, or what went wrong. */
  readonly write: () => Promise<string | undefined>;
  readonly random: Random;
  /** When the engine was away; an end of Infinity is now. */
  readonly away: readonly Interval[];
}

/** Sends requests and checks what comes. */
export class Traffic {
  readonly tallies: Readonly<Record<Kind, Tally>> = {
    search: newTally(),
    msearch: newTally(),
    passed: newTally(),
    write: newTally(),
  };
  readonly #parts: TrafficParts;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(parts: TrafficParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends and checks one request of a kind that chance picks. */
  async one(): Promise<void> {
    const which = this.#parts.random();
    const kind = which < 0.7 ? 'search' : which < 0.75 ? 'msearch' : which < 0.85 ? 'passed' : 'write';
    const tally = this.tallies[kind];
    tally.sent++;
    const began = Date.now();
    const from = performance.now();
    const problem = await this.#do(kind, tally).catch((error: unknown) => `lost: ${String(error)}`);
    tally.ms.push(performance.now() - from);
    if (problem === undefined) return;
    const isExcused = this.#parts.away.some(([down, up]) => began <= up && Date.now() >= down);
    // The engine's own failures are its affair; a wrong page is never excused.
    if (isExcused && /^(lost|status)/.test(problem)) tally.engineAway++;
    else tally.problems.push(`${new Date(began).toISOString()} ${kind}: ${problem}`);
  }

  /** Keeps `clients` requests under way for that long; requests a second. */
  async asFastAsPossible(clients: number, ms: number): Promise<number> {
    const end = performance.now() + ms;
    let count = 0;
    const client = async (): Promise<void> => {
      for (; performance.now() < end; count++) await this.one();
    };
    await Promise.all(Array.from({ length: clients }, client));
    return (1000 * count) / ms;
  }

  /** Begins requests at an even rate until told to stop, whatever becomes of those before. */
  async atRate(perSecond: number, goesOn: () => boolean): Promise<void> {
    const pending = new Set<Promise<void>>();
    const started = performance.now();
    for (let i = 0; goesOn(); i++) {
      const wait = started + (1000 * i) / perSecond - performance.now();
      if (wait > 0) await sleep(wait);
      const request = this.one();
      pending.add(request);
      void request.finally(() => pending.delete(request));
    }
    await Promise.all(pending);
  }

  #do(kind: Kind, tally: Tally): Promise<string | undefined> {
    switch (kind) {
      case 'search':
        return this.#search(tally);
      case 'msearch':
        return this.#multiSearch(tally);
      case 'passed':
        return this.#passed(tally);
      case 'write':
        return this.#write(tally);
    }
  }

  async #search(tally: Tally): Promise<string | undefined> {
    const { index } = this.#parts;
    const query = this.#query();
    const { status, header, text } = await this.#send('POST', `/${index}/_search`, query.body);
    if (status !== 200) return `status ${status} ${text.slice(0, 300)}`;
    const reason = /^skipped; reason=(\w+)/.exec(header)?.[1];
    if (reason === undefined && !header.startsWith('applied')) return `header "${header}"`;
    return pageProblem(text, query.expected, reason) ?? note(tally, reason);
  }

  async #multiSearch(tally: Tally): Promise<string | undefined> {
    const { index } = this.#parts;
    const queries = [this.#query(), this.#query()];
    const body = queries.map((query) => `{}\n${query.body}\n`).join('');
    const { status, header, text } = await this.#send('POST', `/${index}/_msearch`, body);
    if (status !== 200) return `status ${status} ${text.slice(0, 300)}`;
    const responses = membersAt(text, 0).find(({ key }) => key === 'responses');
    const answers = responses === undefined ? [] : elementsAt(text, responses.start);
    if (answers.length !== queries.length) return `${answers.length} answers`;
    // All are applied, or the whole request was left to the engine for one reason.
    const reason = header.includes('applied=2')
      ? undefined
      : (/reason=(\w+)/.exec(header)?.[1] ?? /msearch; (\w+)=2/.exec(header)?.[1] ?? header);
    for (const [i, query] of queries.entries()) {
      const answer = text.slice(answers[i]?.start, answers[i]?.end);
      if (/"status":(429|5\d\d)\}?$/.test(answer)) return `status in an answer: ${answer.slice(0, 300)}`;
      const problem = pageProblem(answer, query.expected, reason);
      if (problem !== undefined) return problem;
    }
    return note(tally, reason);
  }

  async #passed(tally: Tally): Promise<string | undefined> {
    const { path, answer } = this.#parts.document;
    const { status, text } = await this.#send('GET', path);
    if (status !== 200) return `status ${status} ${text.slice(0, 300)}`;
    return text === answer ? note(tally, undefined) : `other bytes: ${text}`;
  }

  async #write(tally: Tally): Promise<string | undefined> {
    return (await this.#parts.write()) ?? note(tally, undefined);
  }

  #query(): KnownQuery {
    const { queries, random } = this.#parts;
    return queries[Math.floor(random() * queries.length)] as KnownQuery;
  }

  #send(method: string, path: string, body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = body === '' ? {} : { 'content-type': 'application/json' };
      const options = { method, headers, agent: this.#agent };
      const request = httpRequest(new URL(path, this.#parts.proxy), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0 } = response;
          const header = String(response.headers['x-twinrank'] ?? '');
          resolve({ status, header, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      request.on('error', reject).end(body);
    });
  }
}

function note(tally: Tally, reason: string | undefined): undefined {
  if (reason === undefined) tally.done++;
  else tally.failOpen.set(reason, (tally.failOpen.get(reason) ?? 0) + 1);
}
