import { defineConfig } from 'vitest/config';
import { cloudflareTest } from '@cloudflare/vitest-plugin';

// Two runtimes, two projects: what runs in workerd is tested in workerd, the command line and the bridge in Node.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                SALLYPORT_ADMIN_TOKEN: 'test-admin-token',
                // 32 bytes, base64; of the tests only.
                SALLYPORT_MASTER_KEY: 'dGVzdC1vbmx5LW1hc3Rlci1rZXktMzItYnl0ZXMhISE=',
              },
            },
          }),
        ],
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/worker/assert-workerd.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          // The first touch of an object loads the whole worker; on a busy machine that alone takes seconds.
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/architecture.test.ts', 'test/node/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
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
