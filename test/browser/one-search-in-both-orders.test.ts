import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fill, playgroundFixture, type WatchedPage } from './support.js';

const QUERY = 'the app keeps crashing when I open it on my phone';
const CHINESE_QUERY = '退款好几天了还没看到钱';
const playground = playgroundFixture();

interface ApiHit {
  readonly _id: string;
  readonly _score: number;
  readonly _source: { readonly title: string };
  readonly fields?: { readonly _twinrank: readonly [{ readonly probability: number }] };
}

/** The same search without the page. */
async function api(
  base: string,
  text: string,
  size: number,
  wish?: string,
  index = playground.index,
): Promise<ApiHit[]> {
  const response = await fetch(`${base}/${index}/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(wish === undefined ? {} : { 'x-twinrank': wish }) },
    body: JSON.stringify({ query: { match: { title: text } }, size }),
  });
  assert.equal(response.status, 200);
  return ((await response.json()) as { readonly hits: { readonly hits: ApiHit[] } }).hits.hits;
}

function ids({ page }: WatchedPage, side: 'engine' | 'ours'): Promise<(string | null)[]> {
  return page.$$eval(`.${side} li`, (items) => items.map((item) => item.getAttribute('data-id')));
}

/** What the latest search asked for. */
function latestWish({ asked }: WatchedPage): string | undefined {
  return asked.findLast(({ url }) => url.pathname.endsWith('/api/search'))?.headers['x-twinrank'];
}

describe('one search in the playground', () => {
  it('shows both orders as the engine and the proxy have them, with scores, probabilities and moves', async () => {
    const watched = await playground.open();
    for (const query of [QUERY, CHINESE_QUERY]) {
      await watched.search(query);
      const engine = await api(playground.engine.url, query, 100);
      const ours = await api(playground.proxy, query, 10, 'scores');
      assert.deepEqual(
        await ids(watched, 'engine'),
        engine.slice(0, 10).map(({ _id }) => _id),
      );
      assert.deepEqual(
        await ids(watched, 'ours'),
        ours.map(({ _id }) => _id),
      );
      assert.deepEqual(
        await watched.texts('.ours .title'),
        ours.map(({ _source }) => _source.title),
      );
      assert.deepEqual(
        await watched.texts('.engine .value'),
        engine.slice(0, 10).map(({ _score }) => `score ${_score.toFixed(2)}`),
      );
      assert.deepEqual(
        await watched.texts('.ours .value'),
        ours.map(({ fields }) => `probability ${fields?._twinrank[0].probability.toFixed(3)}`),
      );
      const before = new Map(engine.map(({ _id }, i) => [_id, i + 1]));
      const words = ours.map(({ _id }, i) => {
        const was = before.get(_id) ?? 0;
        if (was === i + 1) return '＝ unmoved';
        return was > i + 1 ? `▲ up ${was - i - 1}, was ${was}` : `▼ down ${i + 1 - was}, was ${was}`;
      });
      assert.deepEqual(await watched.texts('.ours .badge'), words);
      assert.match(
        await watched.text('#search-status'),
        new RegExp(`The first one was number ${before.get(ours[0]?._id ?? '')}\\.`),
      );
    }
    await watched.screenshot('search');
    await watched.assertClean();
  });

  it('draws a line for each hit, from where it was to where it is', async () => {
    const watched = await playground.open();
    await watched.search(QUERY);
    const engine = await ids(watched, 'engine');
    const ours = await ids(watched, 'ours');
    const lines = await watched.page.$$eval('.moves path', (paths) =>
      paths.map((path) => {
        const length = path.getTotalLength();
        const box = path.ownerSVGElement.getBoundingClientRect();
        const [start, end] = [0, length].map((at) => path.getPointAtLength(at).y + box.top);
        return { id: path.getAttribute('data-key')?.split('/')[1], start, end };
      }),
    );
    const middles = (side: string): Promise<number[]> =>
      watched.page.$$eval(`.${side} li`, (items) =>
        items.map((item) => {
          const { top, height } = item.getBoundingClientRect();
          return top + height / 2;
        }),
      );
    const [left, right] = [await middles('engine'), await middles('ours')];
    const leaving = engine.filter((id) => !ours.includes(id)).length;
    assert.equal(lines.length, ours.length + leaving);
    ours.forEach((id, rank) => {
      const line = lines.find((candidate) => candidate.id === id);
      assert.ok(line, `${id} has a line`);
      assert.ok(Math.abs((line.end ?? 0) - (right[rank] ?? 0)) < 2, `${id} ends at its row`);
      const was = engine.indexOf(id);
      if (was !== -1)
        assert.ok(Math.abs((line.start ?? 0) - (left[was] ?? 0)) < 2, `${id} begins at its row`);
    });
  });

  it('tells what happened by the header, in words and with the times of the parts', async () => {
    const watched = await playground.open();
    await watched.search(QUERY);
    const header = await watched.text('#outcome');
    const facts = /^applied; window=100; scored=(\d+); encode=([\d.]+)ms; score=([\d.]+)ms$/.exec(header);
    assert.ok(facts, header);
    assert.equal(await watched.text('#verdict'), 'Reranked.');
    assert.match(
      await watched.text('.verdict'),
      new RegExp(`${facts[1]} hits have a probability, of a window of 100`),
    );
    const shown = async (part: string): Promise<number> =>
      Number.parseFloat(await watched.text(`dd[data-part="${part}"]`));
    assert.equal(await shown('time_encode'), Number(facts[2]));
    assert.equal(await shown('time_score'), Number(facts[3]));
    for (const part of ['time_engine', 'time_twinrank', 'time_trip'])
      assert.ok((await shown(part)) >= 0, part);
  });

  it('asks again with the knobs that are turned', async () => {
    const watched = await playground.open();
    const { page } = watched;
    await watched.search(QUERY);
    assert.equal(latestWish(watched), 'scores');

    await watched.settle(() => fill(page, '#window', '5'));
    assert.equal(latestWish(watched), 'window=5; scores');
    assert.match(await watched.text('#outcome'), /^applied; window=5; /);
    assert.deepEqual(
      await ids(watched, 'ours'),
      (await api(playground.proxy, QUERY, 10, 'window=5')).map(({ _id }) => _id),
    );

    await watched.settle(() => page.select('#blend-mode', 'auto'));
    assert.equal(latestWish(watched), 'window=5; blend=auto; scores');
    assert.match(await watched.text('.verdict'), /engine’s score counts with a weight of 0\.35/);

    await watched.settle(() => page.select('#blend-mode', 'weight'));
    await watched.settle(async () => {
      await page.focus('#weight');
      await page.keyboard.press('End');
    });
    assert.equal(latestWish(watched), 'window=5; blend=1; scores');
    assert.deepEqual(await ids(watched, 'ours'), await ids(watched, 'engine'));
    assert.match(await watched.text('#search-status'), /Both orders are the same/);

    await watched.settle(() => page.click('#explain'));
    assert.equal(latestWish(watched), 'window=5; blend=1; scores; explain');
    assert.match(await watched.text('.ours .parts'), /^log-odds [−+][\d.]+: query [−+][\d.]+, title /);

    await watched.settle(() => page.select('#shown', '5'));
    assert.equal((await ids(watched, 'ours')).length, 5);

    await watched.settle(() => page.click('#enabled'));
    assert.equal(latestWish(watched), 'off');
    assert.equal(await watched.text('#verdict'), 'Not reranked.');
    assert.match(await watched.text('.verdict'), /Reranking is switched off for this search\./);
    await watched.assertClean();
  });

  it('shows titles as the texts that they are', async () => {
    const index = playground.engine.index('untrusted');
    const title = 'refund <img src=x onerror="window.broken=1"><script>window.broken=1</script> & "more"';
    await playground.engine.call('PUT', `/${index}/_doc/a%22%3E%3Cb%3E?refresh=true`, { title });
    const watched = await playground.open({ index });
    await watched.search('refund');
    assert.deepEqual(await watched.texts('.title'), [title, title]);
    assert.equal(await watched.page.evaluate('window.broken'), undefined);
    assert.equal((await watched.page.$$('#result img, #result script, #result b')).length, 0);
    await watched.assertClean();
  });

  it('says in words why a search was not reranked', async () => {
    const index = playground.engine.index('plain');
    await playground.engine.call('PUT', `/${index}/_doc/1?refresh=true`, { title: 'refund' });
    const watched = await playground.open({ index });
    await watched.search('refund');
    assert.equal(await watched.text('#outcome'), 'skipped; reason=not_configured');
    assert.match(
      await watched.text('.verdict'),
      /The index is not set up\. Run twinrank mapping apply for it\./,
    );
    assert.match(await watched.text('#index-state'), /Not set up/);
    await watched.search('nothing that is there');
    assert.match(await watched.text('#result'), /No hit\./);
  });
});
