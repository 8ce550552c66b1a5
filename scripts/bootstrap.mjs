/**
 * The way in for every npm script: checks Node, installs the packages where they are missing, compiles, and
 * runs the script that was asked for in this same process, so that its signals and exit code are its own.
 * No dependencies and old syntax, because it must be able to tell an old Node that it is too old.
 */
import { spawnSync } from 'child_process';
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync } from 'fs';
import { dirname, join, relative } from 'path';
import { fileURLToPath, pathToFileURL } from 'url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NEEDED_NODE = [20, 19];
const COMMANDS = [
  'quickstart',
  'test',
  'bench',
  'engine',
  'eval-collection',
  'eval-all',
  'eval-heads',
  'conform',
  'client-suite',
  'reindex',
  'chaos',
  'soak',
  'docs-config',
  'image-check',
  'pack-check',
  'docs-check',
  'setup',
];

function main() {
  const command = process.argv[2];
  if (COMMANDS.indexOf(command) < 0) {
    stop(2, 'Usage: node scripts/bootstrap.mjs ' + COMMANDS.join('|') + ' [arguments]');
  }
  checkNode();
  if (!packagesAreCurrent()) install();
  build();
  if (command === 'setup') return;
  const script = join(ROOT, 'dist', 'scripts', command + '.js');
  if (!existsSync(script)) stop(1, 'There is no scripts/' + command + '.ts in this checkout.');
  process.argv.splice(1, 2, script);
  if (process.setSourceMapsEnabled) process.setSourceMapsEnabled(true);
  import(pathToFileURL(script).href).catch(function (error) {
    console.error(error);
    process.exit(1);
  });
}

function checkNode() {
  const have = process.versions.node.split('.').map(Number);
  const old = have[0] < NEEDED_NODE[0] || (have[0] === NEEDED_NODE[0] && have[1] < NEEDED_NODE[1]);
  if (old) {
    stop(
      1,
      'twinrank needs Node ' +
        NEEDED_NODE.join('.') +
        ' or newer; this is Node ' +
        process.versions.node +
        '. Install a current Node (for example with nvm, fnm or your package manager) and try again.',
    );
  }
}

/** Compares what npm noted about node_modules with the lock file, not times: a clone has no useful times. */
function packagesAreCurrent() {
  const noted = lockedPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  const wanted = lockedPackages(join(ROOT, 'package-lock.json'));
  if (noted === undefined) return false;
  if (wanted === undefined)
    stop(1, 'package-lock.json is missing or broken. Restore it from version control.');
  return Object.keys(wanted).every(function (path) {
    // Optional packages are those for other platforms; npm leaves them out.
    if (path === '' || wanted[path].optional) return true;
    return noted[path] !== undefined && noted[path].version === wanted[path].version;
  });
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function install() {
  console.error('Installing packages (npm ci) ...');
  // Windows starts npm through a command file, which needs a shell.
  const result = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: ROOT,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (result.error)
    stop(1, 'npm does not run (' + result.error.message + '). It comes with Node: reinstall Node.');
  if (result.status !== 0)
    stop(1, 'npm ci failed. Check the network and the npm registry setting, then try again.');
}

function build() {
  const dist = join(ROOT, 'dist');
  if (existsSync(dist)) removeStale(dist, dist);
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.json')], {
    cwd: ROOT,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (result.status !== 0) stop(1, 'The sources do not compile; the errors stand above.');
}

/** Without this the compiled test of a deleted source would go on being run. */
function removeStale(dist, folder) {
  readdirSync(folder).forEach(function (name) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return removeStale(dist, path);
    const match = /^(.*)\.js(\.map)?$/.exec(relative(dist, path));
    if (match && !existsSync(join(ROOT, match[1] + '.ts'))) unlinkSync(path);
  });
}

function stop(code, message) {
  console.error(message);
  process.exit(code);
}

main();
