/**
 * Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) for smooth convex functions, with a line
 * search for the weak Wolfe conditions by bisection. The function may be computed elsewhere, so it is awaited.
 */

export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface MinimiseOptions {
  readonly iterations: number;
  /** Ends when an iteration lowers the value by less than this share of it. */
  readonly tolerance: number;
}

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly iterations: number;
}

interface Step {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const LONGEST_SEARCH = 25;
/** Pairs of steps that are remembered. */
const MEMORY = 12;

export async function minimise(
  evaluate: (at: Float64Array) => Promise<Evaluated> | Evaluated,
  start: Float64Array,
  options: MinimiseOptions,
): Promise<Minimum> {
  const steps: Step[] = [];
  let at = start;
  let here = await evaluate(at);
  for (let iteration = 1; iteration <= options.iterations; iteration++) {
    const direction = descent(here.gradient, steps);
    const slope = dot(direction, here.gradient);
    if (!(slope < 0)) return { at, value: here.value, iterations: iteration - 1 };
    const first = steps.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(here.gradient, here.gradient))) : 1;
    const found = await search(evaluate, at, here, direction, slope, first);
    if (found === null) return { at, value: here.value, iterations: iteration - 1 };
    remember(steps, at, here, found);
    const gain = here.value - found.value;
    at = found.at;
    here = found;
    if (gain <= options.tolerance * Math.max(1e-12, Math.abs(here.value)))
      return { at, value: here.value, iterations: iteration };
  }
  return { at, value: here.value, iterations: options.iterations };
}

/** Minus the gradient times the remembered curvature. */
function descent(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const q = Float64Array.from(gradient);
  const alphas: number[] = [];
  for (const { s, y, rho } of [...steps].reverse()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    addTimes(q, y, -alpha);
  }
  const last = steps.at(-1);
  if (last !== undefined) scale(q, dot(last.s, last.y) / dot(last.y, last.y));
  for (const { s, y, rho } of steps) addTimes(q, s, (alphas.pop() ?? 0) - rho * dot(y, q));
  scale(q, -1);
  return q;
}

interface Found extends Evaluated {
  readonly at: Float64Array;
}

/** A point along the direction that meets the weak Wolfe conditions; null where no decrease can be found. */
async function search(
  evaluate: (at: Float64Array) => Promise<Evaluated> | Evaluated,
  from: Float64Array,
  here: Evaluated,
  direction: Float64Array,
  slope: number,
  first: number,
): Promise<Found | null> {
  let low = 0;
  let high = Infinity;
  let length = first;
  let best: Found | null = null;
  for (let attempt = 0; attempt < LONGEST_SEARCH; attempt++) {
    const at = Float64Array.from(from);
    addTimes(at, direction, length);
    const there = await evaluate(at);
    const isLower = there.value <= here.value + SUFFICIENT_DECREASE * length * slope;
    if (!isLower) high = length;
    else {
      best = { ...there, at };
      if (dot(there.gradient, direction) >= CURVATURE * slope) return best;
      low = length;
    }
    length = high === Infinity ? 2 * length : (low + high) / 2;
  }
  return best;
}

function remember(steps: Step[], at: Float64Array, here: Evaluated, found: Found): void {
  const s = found.at.map((value, i) => value - (at[i] as number));
  const y = found.gradient.map((value, i) => value - (here.gradient[i] as number));
  const curvature = dot(s, y);
  // A flat step says nothing about the curvature.
  if (curvature <= 1e-14) return;
  steps.push({ s, y, rho: 1 / curvature });
  if (steps.length > MEMORY) steps.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function addTimes(to: Float64Array, from: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + factor * (from[i] as number);
}

function scale(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
}
