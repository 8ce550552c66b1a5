/** Names that users and servers give: what is taken, what is refused, and what becomes of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxiesOf, tokenOf, tokenPath } from '../../../src/cli/hub-environment.js';
import { nextUrl } from '../../../src/hub/hub-client.js';
import { filePath, folderName, isInsidePath, parseReference } from '../../../src/hub/reference.js';
import { hashOfEtag } from '../../../src/hub/revision-info.js';

describe('a reference', () => {
  it('is a repository, and a branch, a tag or a commit of it', () => {
    assert.deepEqual(parseReference('a/b'), { repository: 'a/b', revision: 'main' });
    assert.deepEqual(parseReference('bert'), { repository: 'bert', revision: 'main' });
    assert.deepEqual(parseReference('A-1/b.c_d@refs/pr/3'), {
      repository: 'A-1/b.c_d',
      revision: 'refs/pr/3',
    });
  });

  for (const name of [
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    '..',
    'a/..',
    '.a/b',
    'a--b/c',
    'a b',
    'a/b?x',
    'a\\b',
    'a/b%2e',
  ])
    it(`refuses "${name}"`, () => {
      assert.throws(() => parseReference(name), /expected a repository/);
    });

  for (const revision of ['', '../x', 'a/../b', '-x', 'a b', 'a?b', 'a#b', `${'a'.repeat(256)}`])
    it(`refuses the revision "${revision.slice(0, 10)}"`, () => {
      assert.throws(() => parseReference(`a/b@${revision}`), /expected a branch/);
    });

  it('gives one folder name for each repository', () => {
    assert.equal(folderName('a/b-c'), 'a--b-c');
    assert.notEqual(folderName('a/b-c'), folderName('a-b/c'));
  });

  it('asks for files by their encoded path', () => {
    assert.equal(filePath('a/b', 'c', 'd e/f#g'), 'a/b/resolve/c/d%20e/f%23g');
  });
});

describe('a path of a server', () => {
  it('is taken where it stays inside', () => {
    for (const path of ['a', 'a/b.c', '...', 'a..b', '.gitattributes']) assert.ok(isInsidePath(path), path);
  });
  it('is refused where it leads elsewhere', () => {
    for (const path of ['', '/a', '../a', 'a/..', 'a//b', './a', 'a\\b', 'C:a', 'a\0b'])
      assert.ok(!isInsidePath(path), path);
  });
});

describe('a redirect', () => {
  const to = (location: string, from = 'https://hub/a/b?c'): string => nextUrl(new URL(from), location).href;
  it('leads to another place of the server, or to another server', () => {
    assert.equal(to('/d'), 'https://hub/d');
    assert.equal(to('https://storage/e?f'), 'https://storage/e?f');
    assert.equal(to('https://storage/', 'http://hub/'), 'https://storage/');
  });
  it('is not followed from https to http, or to anything else', () => {
    for (const location of [
      'http://hub/d',
      'ftp://hub/d',
      'data:text/plain,x',
      'https://[',
      'file:///etc/passwd',
    ])
      assert.throws(() => to(location), /not followed/, location);
  });
});

describe('an ETag', () => {
  it('is a hash where it is one of the Hub', () => {
    assert.deepEqual(hashOfEtag(`"${'a'.repeat(64)}"`), { kind: 'sha256', hex: 'a'.repeat(64) });
    assert.deepEqual(hashOfEtag(`W/"${'b'.repeat(40)}"`), { kind: 'git-sha1', hex: 'b'.repeat(40) });
    for (const etag of [undefined, '', '"d41d8cd98f00b204e9800998ecf8427e-3"', '"storage"'])
      assert.equal(hashOfEtag(etag), null);
  });
});

describe('the environment', () => {
  it('names proxies in lower or upper case, and one for all', () => {
    assert.deepEqual(proxiesOf({}), { http: '', https: '', except: '' });
    assert.deepEqual(
      proxiesOf({
        HTTP_PROXY: 'http://up',
        http_proxy: 'http://low',
        ALL_PROXY: 'socks5://all',
        no_proxy: 'a,b',
      }),
      { http: 'http://low', https: 'socks5://all', except: 'a,b' },
    );
  });
  it('with a proxy that is no address is refused without showing it', () => {
    assert.throws(
      () => proxiesOf({ HTTPS_PROXY: 'user:secret@proxy' }),
      (error: Error) => /^HTTPS_PROXY is not an address/.test(error.message) && !/secret/.test(error.message),
    );
  });
  it('says where the token lies', () => {
    assert.equal(tokenPath({}, '/home/me'), '/home/me/.cache/huggingface/token');
    assert.equal(tokenPath({ XDG_CACHE_HOME: '/c' }, '/home/me'), '/c/huggingface/token');
    assert.equal(tokenPath({ XDG_CACHE_HOME: '/c', HF_HOME: '/h' }, '/home/me'), '/h/token');
    assert.equal(tokenPath({ HF_HOME: '/h', HF_TOKEN_PATH: '/t' }, '/home/me'), '/t');
  });
  it('with a token that is no token is refused without showing it', async () => {
    await assert.rejects(tokenOf({ HF_TOKEN: 'two words' }, '/nowhere'), (error: Error) => {
      return /^HF_TOKEN holds no token/.test(error.message) && !/two words/.test(error.message);
    });
    assert.equal(await tokenOf({ HF_TOKEN: ' hf_x\n' }, '/nowhere'), 'hf_x');
    assert.equal(await tokenOf({}, '/nowhere'), null);
  });
});
