/**
 * What one request may change for itself: the request header `x-twinrank` and the body block `ext.twinrank`. An
 * allowlist: a name that is not in the table, or a value outside its bounds, is refused by name. Nothing else can
 * be changed from outside, least of all where requests go.
 */
import { TwinrankError } from '../errors.js';
import type { Blend } from '../model/blend.js';
import { isRecord } from '../search-engine/json-value.js';

/** Values that a request has given; what it has not given is undefined. */
export interface Knobs {
  /** False leaves the search alone. */
  readonly enabled?: boolean;
  /** How many hits are reranked, in place of the index's window. */
  readonly window?: number;
  /** Weight of the engine's score in the order, 0 to 1. */
  readonly blend?: Blend;
  /** Show probability, log-odds and the engine's score of each hit under `fields._twinrank`. */
  readonly scores?: boolean;
  /** Show the parts of the head's sum as well. */
  readonly explain?: boolean;
}

type KnobName = keyof Knobs;

/** Bounds that the operator sets. */
export interface KnobLimits {
  readonly maxWindow: number;
}

/** Reads one value, given as JSON or as the header's text; undefined where it is out of bounds. */
interface KnobRule {
  readonly expected: (limits: KnobLimits) => string;
  readonly read: (value: unknown, limits: KnobLimits) => number | boolean | 'auto' | undefined;
}

const SWITCH: KnobRule = {
  expected: () => 'true or false',
  read: (value) =>
    value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
};

const KNOBS: Readonly<Record<KnobName, KnobRule>> = {
  enabled: SWITCH,
  window: {
    expected: ({ maxWindow }) => `a whole number from 1 to ${maxWindow}`,
    read: (value, { maxWindow }) => within(numberOf(value), 1, maxWindow, true),
  },
  blend: {
    expected: () => 'a number from 0 to 1, or auto',
    read: (value) => (value === 'auto' ? value : within(numberOf(value), 0, 1, false)),
  },
  scores: SWITCH,
  explain: SWITCH,
};

/** Words of the header that stand for a value. */
const HEADER_WORDS: Readonly<Record<string, Knobs>> = {
  on: { enabled: true },
  off: { enabled: false },
  scores: { scores: true },
  explain: { explain: true },
};

/**
 * Knobs of the header `x-twinrank: window=50; blend=0.3; scores` (or `off`). Throws `bad_request` that names what
 * is wrong and what is known.
 */
export function headerKnobs(header: string | undefined, limits: KnobLimits): Knobs {
  const knobs: Record<string, unknown> = {};
  for (const part of (header ?? '').split(';')) {
    const text = part.trim();
    if (text === '') continue;
    const equals = text.indexOf('=');
    if (equals !== -1)
      set(
        knobs,
        text.slice(0, equals).trim(),
        text.slice(equals + 1).trim(),
        limits,
        'the header x-twinrank',
      );
    else if (Object.hasOwn(HEADER_WORDS, text)) Object.assign(knobs, HEADER_WORDS[text]);
    else throw unknown(text, 'the header x-twinrank');
  }
  return knobs;
}

/** Knobs of the body block `ext.twinrank`; undefined where there is none. */
export function bodyKnobs(block: unknown, limits: KnobLimits): Knobs {
  if (block === undefined) return {};
  if (!isRecord(block)) throw new TwinrankError('bad_request', 'ext.twinrank must be an object.');
  const knobs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(block)) set(knobs, name, value, limits, 'ext.twinrank');
  return knobs;
}

function set(
  knobs: Record<string, unknown>,
  name: string,
  value: unknown,
  limits: KnobLimits,
  where: string,
): void {
  if (!Object.hasOwn(KNOBS, name)) throw unknown(name, where);
  const rule = KNOBS[name as KnobName];
  const read = rule.read(value, limits);
  if (read === undefined) {
    throw new TwinrankError(
      'bad_request',
      `${name} in ${where} must be ${rule.expected(limits)}, it is ${shown(value)}.`,
    );
  }
  knobs[name] = read;
}

function unknown(name: string, where: string): TwinrankError {
  return new TwinrankError(
    'bad_request',
    `${shown(name)} in ${where} is unknown; known are ${Object.keys(KNOBS).join(', ')}.`,
  );
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
}

function within(value: number, min: number, max: number, whole: boolean): number | undefined {
  return value >= min && value <= max && (!whole || Number.isInteger(value)) ? value : undefined;
}

/** Callers' words in our error, cut short. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}
