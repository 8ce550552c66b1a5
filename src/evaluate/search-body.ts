/** The search that is put to engine and proxy alike. */
import { TwinrankError } from '../errors.js';

export interface SearchShape {
  /** Fields that are matched: one gives `match`, several `multi_match`. */
  readonly fields: readonly string[];
  readonly size: number;
  /** A body of the user's own with {{query}} where the text goes; null for the usual one. */
  readonly template: string | null;
  /** Fields that must come back with the hits. */
  readonly sourceFields: readonly string[];
}

const PLACEHOLDER = '{{query}}';

/** Builds the JSON body for a query text. */
export function searchBody(text: string, shape: SearchShape): string {
  if (shape.template !== null) return fillTemplate(shape.template, text);
  const [field, ...others] = shape.fields;
  if (field === undefined) throw new TwinrankError('bad_config', 'Give at least one field to search.');
  const query =
    others.length === 0
      ? { match: { [field]: text } }
      : { multi_match: { query: text, fields: shape.fields } };
  return JSON.stringify({
    query,
    size: shape.size,
    _source: shape.sourceFields.length === 0 ? false : shape.sourceFields,
  });
}

/** Throws `bad_config` unless the template has the placeholder and is JSON once that is filled. */
export function checkTemplate(template: string): string {
  if (!template.includes(PLACEHOLDER)) {
    throw new TwinrankError(
      'bad_config',
      `The body template has no ${PLACEHOLDER}; put it inside a string, such as "query": "${PLACEHOLDER}".`,
    );
  }
  try {
    JSON.parse(fillTemplate(template, 'a "quoted" \\ text'));
  } catch (error) {
    throw new TwinrankError(
      'bad_config',
      `The body template is not JSON; ${PLACEHOLDER} must stand inside a string (${String(error)}).`,
      { cause: error },
    );
  }
  return template;
}

/** The placeholder stands inside a JSON string, so the text is escaped but not quoted. */
function fillTemplate(template: string, text: string): string {
  return template.replaceAll(PLACEHOLDER, () => JSON.stringify(text).slice(1, -1));
}
