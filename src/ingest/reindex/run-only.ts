/** The same work for documents named in a list, such as those that failed before. */
import type { ReindexDeps } from './deps.js';
import { currentDocuments } from './get-documents.js';
import { createPageSize, DEFAULT_PAGE_LIMITS } from './page-size.js';
import { createPageWorker } from './page-worker.js';
import { addCounts, NO_COUNTS, type SliceCounts } from './slice.js';
import type { DocumentName } from './stored-document.js';

/** Works on the documents named, as they are now. A name that is not there counts as vanished. */
export async function runOnly(
  deps: ReindexDeps,
  names: AsyncIterable<DocumentName>,
  signal: AbortSignal,
): Promise<SliceCounts> {
  const size = createPageSize(deps.pageLimits ?? DEFAULT_PAGE_LIMITS);
  const workOn = createPageWorker(deps);
  let counts = NO_COUNTS;
  let page: DocumentName[] = [];

  const settle = async (): Promise<void> => {
    const named = page;
    page = [];
    const { documents, vanished, failures } = await currentDocuments(deps.client, named, signal);
    failures.forEach(deps.onFailure);
    size.seen(
      documents.length,
      documents.reduce((sum, { source }) => sum + (source?.length ?? 0), 0),
    );
    const rest = { documents: vanished + failures.length, vanished, failed: failures.length };
    counts = addCounts(addCounts(counts, rest), await workOn(documents, signal));
  };

  for await (const name of names) {
    page.push(name);
    if (page.length >= size.now()) await settle();
  }
  if (page.length > 0) await settle();
  return counts;
}
