/** Errors as each of the original services words them, so that its clients can read them. */
import type { ErrorCode, TwinrankError } from '../errors.js';
import { InvalidField } from './fields.js';

export type Dialect = 'cohere' | 'tei' | 'openai';

export interface ErrorReply {
  readonly status: number;
  readonly body: string;
}

/** The error in the words of the dialect. */
export function errorReply(dialect: Dialect, error: TwinrankError): ErrorReply {
  const { status, body } = SHAPES[dialect](error);
  return { status, body: JSON.stringify(body) };
}

type Shape = (error: TwinrankError) => { readonly status: number; readonly body: unknown };

const SHAPES: Readonly<Record<Dialect, Shape>> = {
  // Cohere's clients read "message", Jina's "detail".
  cohere: (error) => ({
    status: error.status,
    body: { message: error.message, detail: error.message },
  }),
  tei: (error) => {
    const { status, type } = teiKind(error);
    return { status, body: { error: error.message, error_type: type } };
  },
  openai: (error) => ({
    status: error.status,
    body: {
      error: {
        message: error.message,
        type: error.status === 429 ? 'rate_limit_exceeded' : openaiType(error.status),
        param: error instanceof InvalidField ? error.field : null,
        code: OPENAI_CODES[error.code] ?? null,
      },
    },
  }),
};

/** TEI answers 413 to whatever is too long or too many, 422 to a body of the wrong form, 424 when the model fails. */
function teiKind(error: TwinrankError): { readonly status: number; readonly type: string } {
  if (error instanceof InvalidField)
    return error.isEmpty ? { status: 400, type: 'Empty' } : { status: 422, type: 'Validation' };
  return TEI_KINDS[error.code] ?? { status: error.status, type: 'Backend' };
}

const TEI_KINDS: Partial<Record<ErrorCode, { readonly status: number; readonly type: string }>> = {
  bad_request: { status: 400, type: 'Validation' },
  unauthorized: { status: 401, type: 'Unauthorized' },
  not_found: { status: 404, type: 'Validation' },
  body_too_large: { status: 413, type: 'Validation' },
  cannot_tokenise: { status: 422, type: 'Tokenizer' },
  encode_failed: { status: 424, type: 'Backend' },
  overloaded: { status: 429, type: 'Overloaded' },
  not_ready: { status: 503, type: 'Unhealthy' },
};

function openaiType(status: number): string {
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

const OPENAI_CODES: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'invalid_api_key',
  not_found: 'not_found',
  overloaded: 'rate_limit_exceeded',
};
