/** Findings for people: a list with headings, in colours where the terminal has them. Pure. */
import { countFindings, headingOf, type Finding, type Heading, type Status } from './finding.js';

const LABELS: Readonly<Record<Status, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL', skipped: '-' };
/** Codes of the terminal: green, yellow, red, grey. */
const COLOURS: Readonly<Record<Status, number>> = { ok: 32, warn: 33, fail: 31, skipped: 90 };
const BOLD = 1;
const NAME_WIDTH = 13;

/** Writes findings as they come; a heading goes before the first one of its kind. */
export function createFindingWriter(write: (text: string) => void, inColour: boolean) {
  let heading: Heading | undefined;
  const paint = (text: string, code: number): string => (inColour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    finding({ check, index, status, message, remedy }: Finding): void {
      if (headingOf(check) !== heading) {
        heading = headingOf(check);
        write(`\n${paint(heading, BOLD)}\n`);
      }
      const label = paint(LABELS[status].padEnd(4), COLOURS[status]);
      const subject = index === undefined ? '' : `${index}: `;
      write(`  ${label}  ${check.padEnd(NAME_WIDTH)}  ${printable(subject + message)}\n`);
      if (remedy !== undefined) write(`        ${' '.repeat(NAME_WIDTH)}  ${printable(`-> ${remedy}`)}\n`);
    },
    end(findings: readonly Finding[]): void {
      const { ok, warn, fail, skipped } = countFindings(findings);
      const parts = [
        `${ok} ok`,
        warn > 0 ? paint(`${warn} ${warn === 1 ? 'warning' : 'warnings'}`, COLOURS.warn) : '0 warnings',
        fail > 0 ? paint(`${fail} failed`, COLOURS.fail) : '0 failed',
        ...(skipped > 0 ? [`${skipped} not checked`] : []),
      ];
      write(`\n${parts.join(', ')}.\n`);
    },
  };
}

/** Whether to colour: on a terminal, unless NO_COLOR is set to anything. */
export function wantsColour(isTerminal: boolean, noColour: string | undefined): boolean {
  return isTerminal && (noColour === undefined || noColour === '');
}

/** Names and reasons come from the engine: what a terminal would act on is not handed to it. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
