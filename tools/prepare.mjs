import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Makes a clone ready to run: installs what package-lock.json names and compiles the sources to dist/, each only when something changed.
// Runs before `npm start` and `npm test`, on Node alone: nothing may be installed yet. `--build` compiles everything anew.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = ['apps', 'libs', 'projections', 'bench', 'test'];
const OLDEST_NODE = [20, 19];

const say = (message) => process.stdout.write(message);
const fail = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `Punchcard needs Node ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}: install a newer one (https://nodejs.org).`,
  );
}

/** npm writes down what it installed, last of all: an install that was killed left no such file. */
function isInstalled() {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  const installed = existsSync(join(root, 'node_modules/.package-lock.json')) ? read('node_modules/.package-lock.json') : {};
  return Object.entries(read('package-lock.json')).every(
    ([path, { version, optional, devOptional }]) =>
      !path.startsWith('node_modules/') || installed[path]?.version === version || optional || devOptional,
  );
}

/**
 * `npm ci`, exactly what the lock names. It refuses a lock that was written without the optional packages of other platforms
 * (npm/cli#4828), which cannot be mended where a registry does not have them all: then the same versions by `npm install`, which leaves
 * the lock as it is.
 */
function install() {
  const first = npm('ci');
  const { status, said } = /^npm (error|ERR!) Missing: /m.test(first.said) ? npm('install', '--no-save') : first;
  if (status !== 0) fail(`\n${said}\nThe packages could not be installed. It needs the network this once; then start again.`);
}

function npm(...command) {
  const [program, ...path] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stdout, stderr, error } = spawnSync(program, [...path, ...command, ...flags], { cwd: root, encoding: 'utf8' });
  return { status, said: `${stdout ?? ''}${stderr ?? error}` };
}

/** Path → what its output follows from: its own content, and whatever else decides how it is compiled. */
function sources() {
  const rules = ['.swcrc', 'package-lock.json', 'tools/prepare.mjs'].map((path) => readFileSync(join(root, path)));
  const basis = createHash('sha1').update(Buffer.concat(rules)).digest();
  const found = SOURCES.filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((file) => file.isFile() && !/\.(spec\.ts|d\.ts|md)$|^\./.test(file.name))
    .map((file) => join(file.parentPath, file.name));
  const hash = (path) => createHash('sha1').update(basis).update(readFileSync(path)).digest('base64');
  return Object.fromEntries(found.sort().map((path) => [relative(root, path), hash(path)]));
}

const manifest = join(root, 'dist', '.sources.json');
const built = () => (existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {});
const isBuilt = (wanted) => existsSync(manifest) && readFileSync(manifest, 'utf8') === JSON.stringify(wanted);

/** What was compiled is written down last: a build that was killed is done again from the start. */
async function build(wanted, before) {
  rmSync(manifest, { force: true });
  if (Object.keys(before).length === 0) rmSync(join(root, 'dist'), { recursive: true, force: true });
  for (const path of Object.keys(before)) if (!(path in wanted)) for (const output of outputs(path)) rmSync(output, { force: true });
  const { transform } = (await import(pathToFileURL(join(root, 'node_modules/@swc/core/index.js')).href)).default;
  const options = { ...JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8')), swcrc: false };
  delete options.$schema;
  const changed = Object.keys(wanted).filter((path) => before[path] !== wanted[path]);
  await Promise.all(changed.map((path) => compile(path, transform, options).catch((error) => fail(`\n${path}: ${error.message}`))));
  mkdirSync(dirname(manifest), { recursive: true });
  writeFileSync(manifest, JSON.stringify(wanted));
  return changed.length;
}

const outputs = (path) => {
  const output = join(root, 'dist', path);
  return extname(path) === '.ts' ? [output.replace(/\.ts$/, '.js'), output.replace(/\.ts$/, '.js.map')] : [output];
};

async function compile(path, transform, options) {
  const [output, map] = outputs(path);
  mkdirSync(dirname(output), { recursive: true });
  if (!map) return copyFileSync(join(root, path), output);
  const compiled = await transform(readFileSync(join(root, path), 'utf8'), {
    ...options,
    filename: join(root, path),
    sourceFileName: relative(dirname(output), join(root, path)),
  });
  writeFileSync(output, `${compiled.code}//# sourceMappingURL=${relative(dirname(map), map)}\n`);
  writeFileSync(map, compiled.map);
}

/**
 * One of several in this clone at a time; a claim whose process is gone is none. Each writes its claim first and looks for others'
 * second, so that of two the later sees the earlier; who sees another steps back and tries again.
 */
async function alone(work) {
  const claims = join(root, '.cache', 'prepare');
  const mine = `${process.pid}-${startOf(process.pid)}`;
  mkdirSync(claims, { recursive: true });
  for (let told = false; ; told = true) {
    writeFileSync(join(claims, mine), '');
    if (!readdirSync(claims).some((claim) => claim !== mine && isAlive(claim, claims))) break;
    rmSync(join(claims, mine), { force: true });
    if (!told) say('Waiting for another start in this folder to finish its preparations.\n');
    await sleep(100 + 200 * Math.random());
  }
  const release = () => rmSync(join(claims, mine), { force: true });
  process.once('exit', release);
  await work();
  release();
}

function isAlive(claim, claims) {
  const [pid, start] = claim.split('-');
  if (startOf(pid) === start) return true;
  rmSync(join(claims, claim), { force: true });
  return false;
}

/** Tells a process from a later one with the same pid; undefined if there is none. */
function startOf(pid) {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.replace(/\W+/g, '') || undefined;
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

async function step(what, work) {
  const since = Date.now();
  say(`${what} … `);
  const done = await work();
  say(`${done === undefined ? '' : `${done} files, `}${((Date.now() - since) / 1000).toFixed(1)} s\n`);
}

checkNode();
const anew = process.argv.includes('--build');
if (anew || !isInstalled() || !isBuilt(sources()))
  await alone(async () => {
    if (!isInstalled()) await step('Installing the packages of package-lock.json', install);
    const wanted = sources();
    if (anew || !isBuilt(wanted)) await step('Compiling to dist/', () => build(wanted, anew ? {} : built()));
  });
