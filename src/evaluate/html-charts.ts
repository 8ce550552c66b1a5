/** Charts of the HTML report as inline SVG: drawn from numbers, nothing is fetched. */
import { signed } from './figures.js';
import type { OrdersReport } from './orders-report.js';
import { markup, type Markup } from './html-text.js';

/** One bar of a chart of differences. */
export interface DeltaBar {
  readonly label: string;
  readonly difference: number;
}

const WIDTH = 900;
const HEIGHT = 220;
const MARGIN = 40;

/** Bars up for gains and down for losses, in the given order; the label shows on hover. */
export function deltaChart(bars: readonly DeltaBar[]): Markup {
  const highest = Math.max(0.01, ...bars.map(({ difference }) => Math.abs(difference)));
  const zero = HEIGHT / 2;
  const step = (WIDTH - MARGIN) / Math.max(1, bars.length);
  const shapes = bars.map(({ label, difference }, i) => {
    const height = (Math.abs(difference) / highest) * (zero - 10);
    return markup`<rect
      class="${difference < 0 ? 'loss' : 'gain'}"
      x="${place(MARGIN + i * step)}"
      y="${place(difference < 0 ? zero : zero - height)}"
      width="${place(Math.max(0.5, step * 0.85))}"
      height="${place(height)}"
    ><title>${label}: ${signed(difference)}</title></rect>`;
  });
  return markup`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="difference of each query">
    <text x="0" y="14">+${highest.toFixed(2)}</text>
    <text x="0" y="${zero + 4}">0</text>
    <text x="0" y="${HEIGHT - 4}">-${highest.toFixed(2)}</text>
    <line x1="${MARGIN}" x2="${WIDTH}" y1="${zero}" y2="${zero}" />${shapes}
  </svg>`;
}

/** The measure by the blend's weight, with the engine as a dashed line. */
export function blendChart({ curve, engine, weight }: OrdersReport): Markup {
  const values = [...curve.map(({ value }) => value), engine];
  const low = Math.min(...values);
  const span = Math.max(0.01, Math.max(...values) - low);
  const x = (at: number): string => place(MARGIN + 20 + at * (WIDTH - MARGIN - 40));
  const y = (value: number): string => place(HEIGHT - 30 - ((value - low) / span) * (HEIGHT - 60));
  const points = curve.map((point) => `${x(point.weight)},${y(point.value)}`).join(' ');
  const best = curve.find((point) => point.weight === weight)?.value ?? low;
  return markup`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="measure by weight of the blend">
    <text x="0" y="${y(low + span)}">${(low + span).toFixed(3)}</text>
    <text x="0" y="${y(low)}">${low.toFixed(3)}</text>
    <line class="dashed" x1="${x(0)}" x2="${x(1)}" y1="${y(engine)}" y2="${y(engine)}" />
    <polyline points="${points}" />
    <circle cx="${x(weight)}" cy="${y(best)}" r="5"><title>weight ${weight}: ${best.toFixed(4)}</title></circle>
    <text x="${x(0)}" y="${HEIGHT - 4}">0 probability alone</text>
    <text x="${x(1)}" y="${HEIGHT - 4}" text-anchor="end">1 engine</text>
  </svg>`;
}

function place(value: number): string {
  return value.toFixed(1);
}
