// Runs before `npm start` and `npm test`, on whatever Node began them: plain JavaScript, no dependency.
// Installs when node_modules does not match package-lock.json, so that a fresh clone needs one command.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.sallyport-installed-lock.json');

if (!existsSync(installed) || !readFileSync(installed).equals(readFileSync(lock))) {
  console.error('sallyport: installing dependencies (npm install) …');
  // What the lock names is installed as the lock has it, and the lock stays as it is. `npm ci` would refuse it where a
  // registry has not every platform's optional packages. `--no-audit --no-fund`: nothing but the registry is called.
  const { status, error } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error !== undefined || status !== 0) {
    console.error(`sallyport: npm install failed${error ? `: ${error.message}` : ''}; run it by hand to see why`);
    process.exit(1);
  }
  copyFileSync(lock, installed);
}

// The packaged Node is an optional dependency: not every platform has one.
const NODE_MAJOR = 24;
if (
  Number.parseInt(process.versions.node, 10) < NODE_MAJOR &&
  !existsSync(join(root, 'node_modules', '.bin', 'node'))
) {
  console.error(
    `sallyport: needs Node ${NODE_MAJOR}, this is ${process.version}, and npm has none for ${process.platform}-${process.arch}: install Node ${NODE_MAJOR} (https://nodejs.org) and start again`,
  );
  process.exit(1);
}
