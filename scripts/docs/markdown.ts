/** What our checks need of a Markdown text: fenced blocks, code in lines, links and the anchors of its headings. Pure. */

export interface Fence {
  /** All that follows the backticks: `sh run`. */
  readonly info: string;
  readonly text: string;
  /** Line number of the opening backticks, from 1. */
  readonly line: number;
}

export interface Markdown {
  readonly fences: readonly Fence[];
  /** The text without fenced blocks; each of their lines is empty. */
  readonly prose: string;
}

/** Splits a text into its fenced blocks and the rest. */
export function readMarkdown(text: string): Markdown {
  const fences: Fence[] = [];
  const prose: string[] = [];
  let open: { info: string; lines: string[]; line: number } | undefined;
  for (const [n, line] of text.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open === undefined && fence === null) {
      prose.push(line);
      continue;
    }
    prose.push('');
    if (open === undefined) open = { info: (fence?.[1] ?? '').trim(), lines: [], line: n + 1 };
    else if (fence === null) open.lines.push(line);
    else {
      fences.push({ info: open.info, text: open.lines.join('\n'), line: open.line });
      open = undefined;
    }
  }
  return { fences, prose: prose.join('\n') };
}

/** Targets of links and images. */
export function linksOf({ prose }: Markdown): string[] {
  const plain = prose.replaceAll(/`[^`\n]*`/g, '');
  return [...plain.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** Code between single backticks, line ends in it as spaces. */
export function codeSpans({ prose }: Markdown): string[] {
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => (code ?? '').replaceAll(/\s+/g, ' '));
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf({ prose }: Markdown): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6}\s+(.*)$/gm)) {
    const base = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}
