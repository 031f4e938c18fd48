import { defineConfig } from 'vitest/config';
import { cloudflareTest } from '@cloudflare/vitest-plugin';

// What runs in workerd is tested in workerd, the command line and the bridge in Node.

/** In workerd too, but without storage, servers or modules that remember: these files share one runtime. */
const PURE = ['audit', 'auth', 'budget', 'config', 'health', 'lib', 'llm', 'policy', 'mcp/protocol', 'mcp/session']
  .map((room) => `test/worker/${room}/**/*.test.ts`)
  .concat('test/worker/mcp/*.test.ts', 'test/worker/mcp/methods/*.test.ts');

function workerd() {
  return cloudflareTest({
    wrangler: { configPath: './wrangler.toml' },
    miniflare: {
      bindings: {
        SALLYPORT_ADMIN_TOKEN: 'test-admin-token',
        // 32 bytes, base64; of the tests only.
        SALLYPORT_MASTER_KEY: 'dGVzdC1vbmx5LW1hc3Rlci1rZXktMzItYnl0ZXMhISE=',
      },
    },
  });
}

export default defineConfig({
  test: {
    // Most tests wait more than they work.
    maxWorkers: 2,
    projects: [
      {
        plugins: [workerd()],
        test: {
          name: 'worker',
          // One runtime at a time: of two, the pool once lost one.
          fileParallelism: false,
          include: ['test/worker/**/*.test.ts'],
          exclude: PURE,
          setupFiles: ['test/worker/assert-workerd.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          // The first touch of an object loads the whole worker; on a busy machine that alone takes seconds.
          testTimeout: 20_000,
        },
      },
      {
        plugins: [workerd()],
        test: {
          name: 'pure',
          include: PURE,
          setupFiles: ['test/worker/assert-workerd.ts'],
          // A runtime of its own for each file would take longer than most of them.
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/architecture.test.ts', 'test/node/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
