/**
 * The one family of errors. Everything that can go wrong in a way that a caller should hear of is a
 * TwinrankError with a stable code, so that each edge (HTTP reply, bulk item, terminal) translates it once.
 * Messages say what is wrong and what to do; credentials never enter them.
 */

/** Stable machine-readable codes; each maps to one HTTP status in {@link STATUS_OF}. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'request_timeout'
  | 'bad_config'
  | 'bad_bundle'
  | 'bad_input_file'
  | 'mapping_conflict'
  | 'bad_job'
  | 'job_conflict'
  | 'body_too_large'
  | 'cannot_tokenise'
  | 'overloaded'
  | 'cancelled'
  | 'deadline_exceeded'
  | 'encode_failed'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'upstream_answer'
  | 'not_ready'
  | 'no_space'
  | 'internal';

/** HTTP status that an error of each code is answered with. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  request_timeout: 408,
  bad_config: 400,
  bad_bundle: 500,
  bad_input_file: 400,
  mapping_conflict: 409,
  bad_job: 409,
  job_conflict: 409,
  body_too_large: 413,
  cannot_tokenise: 422,
  overloaded: 429,
  cancelled: 499,
  deadline_exceeded: 503,
  encode_failed: 500,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_answer: 502,
  not_ready: 503,
  no_space: 507,
  internal: 500,
};

/** An expected failure: `code` for machines, `message` for people, `cause` for the log. */
export class TwinrankError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TwinrankError';
    this.code = code;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }
}

/** Any thrown value as a TwinrankError; unknown ones become `internal` and keep their cause. */
export function asTwinrankError(error: unknown): TwinrankError {
  if (error instanceof TwinrankError) return error;
  if (isAbort(error)) return new TwinrankError('cancelled', 'The caller went away.', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new TwinrankError('internal', `Unexpected failure: ${message}`, { cause: error });
}

/** True for the error that an aborted AbortSignal raises. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/** A state that the code rules out; reaching it is a defect of ours. */
export function bug(what: string): TwinrankError {
  return new TwinrankError('internal', `${what} This is a bug.`);
}
