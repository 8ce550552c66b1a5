/** What package.json says of the program. */
import { readFileSync } from 'node:fs';

export function programVersion(): string {
  return readPackage().version;
}

/** The oldest Node that will do, as `>=MAJOR.MINOR`. */
export function neededNode(): string {
  return readPackage().engines.node;
}

function readPackage(): { readonly version: string; readonly engines: { readonly node: string } } {
  const file = new URL('../../../package.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof readPackage>;
}
