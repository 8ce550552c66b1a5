/** What went wrong, in plain words and in those of the engine. */
import { CallError } from './api.js';
import { byId, el } from './dom.js';
import { state } from './state.js';

/** @type {Record<number, string>} */
const WORDS = {
  400: 'error_bad',
  401: 'error_credentials',
  403: 'error_forbidden',
  404: 'error_no_index',
  429: 'error_busy',
  502: 'error_unreachable',
  503: 'error_busy',
  504: 'error_unreachable',
};

/**
 * @param {string} id
 * @param {unknown} error null takes the words away
 */
export function showFailure(id, error) {
  const place = byId(id);
  place.replaceChildren();
  if (error === null || error === undefined) return;
  const { words, reason } = wordsOf(error);
  place.append(
    el(
      'div',
      { class: 'failure' },
      el('strong', {}, words),
      reason !== '' && el('p', {}, state.t('error_words', { reason })),
    ),
  );
}

/**
 * @param {unknown} error
 * @returns {{ words: string, reason: string }}
 */
function wordsOf(error) {
  const { t } = state;
  if (!(error instanceof CallError))
    return { words: t('error_other', { status: '–' }), reason: String(error) };
  const { status, reason, fromProxy } = error;
  if (status === 0) return { words: t('error_server'), reason: '' };
  if (wantsToken(error)) {
    askForToken();
    return { words: t('error_token'), reason };
  }
  if ((status === 401 || status === 403) && fromProxy) byId('credentials').setAttribute('open', '');
  return { words: t(WORDS[status] ?? 'error_other', { status }), reason };
}

/**
 * The admin port, and not the engine, has refused the call.
 * @param {unknown} error
 */
export function wantsToken(error) {
  return error instanceof CallError && error.status === 401 && !error.fromProxy;
}

/** Shows the field of the admin port's token, which most never need. */
export function askForToken() {
  byId('token-row').hidden = false;
  byId('credentials').setAttribute('open', '');
}
