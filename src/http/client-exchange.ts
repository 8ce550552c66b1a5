/** One request of a client, as the services get it. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './pass-through.js';
import { newRequestId } from './request-id.js';
import { newRecord } from './request-record.js';
import type { Upstream, UpstreamConnection } from './upstream.js';

/** A caller's going away becomes a signal only for those who ask for one: most requests need none. */
export class ClientExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly showsId: boolean;
  readonly record = newRecord();
  #signal: AbortSignal | undefined;
  #id: string | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    upstream: Upstream,
    connection: UpstreamConnection,
    showsId: boolean,
  ) {
    this.request = request;
    this.response = response;
    this.upstream = upstream;
    this.connection = connection;
    this.showsId = showsId;
  }

  get id(): string {
    return (this.#id ??= newRequestId());
  }

  get signal(): AbortSignal {
    return (this.#signal ??= leavingSignal(this.request, this.response));
  }
}

/** Aborts when the connection closes before the answer is out. */
export function leavingSignal(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const aborter = new AbortController();
  // A bulk body has a listener for each text under way: many of them are no leak.
  setMaxListeners(0, aborter.signal);
  const onClose = (): void => {
    // An answer to half a request is the end of it as well: it will not come whole.
    if (!response.writableFinished || !request.complete) aborter.abort();
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return aborter.signal;
}
