/** Where the values of a JSON text lie; a plain reader of its own, so that the comparison leans on nothing it tests. */

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Member extends Range {
  readonly key: string;
}

/** Members of the object at `at`; empty where there is none. */
export function membersAt(text: string, at: number): Member[] {
  const found: Member[] = [];
  let i = skipSpace(text, at);
  if (text[i] !== '{') return found;
  i = skipSpace(text, i + 1);
  while (i < text.length && text[i] !== '}') {
    const keyEnd = endOfValue(text, i);
    const key = text.slice(i + 1, keyEnd - 1);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, start);
    found.push({ key, start, end });
    i = skipSpace(text, end);
    if (text[i] === ',') i = skipSpace(text, i + 1);
  }
  return found;
}

/** Elements of the array at `at`; empty where there is none. */
export function elementsAt(text: string, at: number): Range[] {
  const found: Range[] = [];
  let i = skipSpace(text, at);
  if (text[i] !== '[') return found;
  i = skipSpace(text, i + 1);
  while (i < text.length && text[i] !== ']') {
    const end = endOfValue(text, i);
    found.push({ start: i, end });
    i = skipSpace(text, end);
    if (text[i] === ',') i = skipSpace(text, i + 1);
  }
  return found;
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length && ' \n\r\t'.includes(text[i] ?? '')) i++;
  return i;
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  if (text[at] !== '{' && text[at] !== '[') {
    let i = at;
    while (i < text.length && !',]} \n\r\t'.includes(text[i] ?? '')) i++;
    return i;
  }
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i) - 1;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return i + 1;
  }
  return text.length;
}

function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}
