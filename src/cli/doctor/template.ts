/** What doctor says of the templates that make the next index of a name. Pure. */
import { asTwinrankError } from '../../errors.js';
import { asRecord } from '../../search-engine/json-value.js';
import { settingsFromMeta, vectorFields, type IndexSettings } from '../../search-engine/mapping-meta.js';
import { modelFlag, textFlags, type Advice } from './advice.js';
import { fieldAt } from './field-at.js';
import type { Finding } from './finding.js';

export interface NextIndex {
  /** Templates that make it; none where it gets nothing from any. */
  readonly templates: readonly string[];
  /** They are of the older kind, `_template`, which `mapping apply` does not change. */
  readonly areOlder: boolean;
  readonly mappings: unknown;
}

export function templateFinding(
  name: string,
  next: NextIndex | undefined,
  settings: IndexSettings,
  advice: Advice,
): Finding {
  const check = 'template';
  if (next === undefined)
    return {
      check,
      index: name,
      status: 'skipped',
      message: 'These credentials may not ask what templates would make.',
    };
  const { templates, areOlder, mappings } = next;
  if (templates.length === 0 && mappings === undefined)
    return { check, index: name, status: 'ok', message: 'No template makes indices of this name.' };
  const named =
    templates.length === 0 ? 'a template' : templates.map((template) => `"${template}"`).join(' and ');
  const [first = 'NAME'] = templates;
  const apply = `twinrank mapping apply --to ${advice.to} --template ${first}${textFlags(settings)}${modelFlag(advice)}`;
  // One of the newer kind beside it would take its place whole, with its analyzers and other settings.
  const remedy = areOlder
    ? `Put what ${named} says into a template of the newer kind (_index_template), then ${apply}`
    : apply;
  const warn = (message: string): Finding => ({ check, index: name, status: 'warn', message, remedy });
  let made: IndexSettings | undefined;
  try {
    made = settingsFromMeta(asRecord(mappings)['_meta'], `template ${first}`);
  } catch (error) {
    return warn(asTwinrankError(error).message);
  }
  if (made === undefined)
    return warn(
      `The next index of this name, made by ${named}, would have no vectors: the template is not set up.`,
    );
  if (made.fingerprint !== settings.fingerprint || made.vectorField !== settings.vectorField)
    return warn(
      `The next index of this name, made by ${named}, would be set up for ${made.model} (${made.fingerprint}) in "${made.vectorField}".`,
    );
  const lacking = vectorFields(made).filter((field) => fieldAt(mappings, field) === undefined);
  if (lacking.length > 0)
    return warn(
      `The next index of this name, made by ${named}, would have no field ${lacking.map((field) => `"${field}"`).join(' and ')}.`,
    );
  return { check, index: name, status: 'ok', message: `${named} will make the next one like it.` };
}
