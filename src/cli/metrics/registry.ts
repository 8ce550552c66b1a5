/** Prometheus metrics of one process. The only file that knows prom-client. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A label's values come from a small closed set, or the monitoring drowns: never an index, an id or a text. */
type Labels<Label extends string> = Readonly<Record<Label, string>>;

export interface Counting<Label extends string> {
  add(labels: Labels<Label>, count?: number): void;
}

export interface Timing<Label extends string> {
  observe(labels: Labels<Label>, value: number): void;
}

export interface Metrics {
  readonly contentType: string;
  /** All values now, in Prometheus' text form. */
  text(): Promise<string>;
  counter<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
  ): Counting<Label>;
  /** A count that is kept elsewhere, read when somebody looks. */
  countOf(name: string, help: string, read: () => number): void;
  /** A value that goes up and down, read when somebody looks. */
  gauge(name: string, help: string, read: () => number): void;
  /** Likewise, one value for each of a closed set. */
  gauges<Label extends string>(
    name: string,
    help: string,
    label: Label,
    read: () => Readonly<Record<string, number>>,
  ): void;
  /** @param buckets upper bounds, ascending */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly Label[],
  ): Timing<Label>;
}

/** Seconds: a query's own parts take milliseconds, a large bulk body minutes. */
export const SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** An empty set of metrics, with those of the Node process. */
export function createMetrics(): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    counter(name, help, labelNames = []) {
      const counter = new Counter({ name, help, labelNames, registers });
      return { add: (labels, count = 1) => counter.inc(labels, count) };
    },
    countOf(name, help, read) {
      const collect = function (this: Counter): void {
        this.reset();
        this.inc(read());
      };
      new Counter({ name, help, registers, collect });
    },
    gauge(name, help, read) {
      const collect = function (this: Gauge): void {
        this.set(read());
      };
      new Gauge({ name, help, registers, collect });
    },
    gauges(name, help, label, read) {
      const collect = function (this: Gauge): void {
        for (const [value, number] of Object.entries(read())) this.set({ [label]: value }, number);
      };
      new Gauge({ name, help, labelNames: [label], registers, collect });
    },
    histogram(name, help, buckets, labelNames = []) {
      const histogram = new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
      return { observe: (labels, value) => histogram.observe(labels, value) };
    },
  };
}
