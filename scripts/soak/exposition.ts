/** Reads what `/metrics` says. */

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Label names that its series have, `le` aside. */
  readonly labels: ReadonlySet<string>;
}

export interface Exposition {
  readonly families: ReadonlyMap<string, MetricFamily>;
  /** Values by series as they are written, `name{label="value"}`. */
  readonly values: ReadonlyMap<string, number>;
}

/** Reads Prometheus' text form. Throws where a line is not of it. */
export function readExposition(text: string): Exposition {
  const families = new Map<string, MetricFamily & { labels: Set<string> }>();
  const values = new Map<string, number>();
  const helps = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (what === 'HELP') helps.set(name, rest);
    else if (what === 'TYPE')
      families.set(name, { name, type: rest, help: helps.get(name) ?? '', labels: new Set() });
    else {
      const match = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line);
      if (match === null) throw new Error(`This is no line of metrics: ${line}`);
      const [, series = '', labels = '', value = ''] = match;
      values.set(line.slice(0, line.lastIndexOf(' ')), Number(value));
      const family = families.get(series) ?? families.get(series.replace(/_(bucket|sum|count)$/, ''));
      if (family === undefined) throw new Error(`${series} has no type.`);
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) if (label !== 'le') family.labels.add(label);
    }
  }
  return { families, values };
}

/** The metrics of a service. */
export async function metricsOf(adminUrl: string): Promise<Exposition> {
  const response = await fetch(`${adminUrl}/metrics`);
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}.`);
  return readExposition(await response.text());
}
