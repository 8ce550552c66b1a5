/** What an endpoint is to the app: a path, a dialect for errors, and a function from body to answer. */
import type { Dialect } from './error-shapes.js';
import type { ServedModel } from './model.js';

export interface EndpointLimits {
  /** Documents, texts or inputs of one request. */
  readonly maxTexts: number;
}

/** One request under way. */
export interface Call {
  readonly model: ServedModel;
  readonly limits: EndpointLimits;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
}

export interface Endpoint {
  readonly path: string;
  readonly dialect: Dialect;
  /** The answer as JSON text; failures are thrown as TwinrankError. */
  readonly answer: (body: unknown, call: Call) => Promise<string>;
}
