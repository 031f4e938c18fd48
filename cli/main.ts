#!/usr/bin/env node
// Nothing but the version of Node is looked at before the rest is loaded: an older one fails on it in obscure ways.

const NODE_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR) {
  console.error(
    `sallyport needs Node ${NODE_MAJOR} and this is ${process.version}: use "npm start" or "npm run sallyport", which bring their own, or install Node ${NODE_MAJOR}`,
  );
  process.exit(1);
}

const { runCommandLine } = await import('./command-line.ts');
process.exit(await runCommandLine(process.argv.slice(2)));
