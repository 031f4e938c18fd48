import { exports } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import sql from '../../migrations/0000_initial.sql';

it('serves in workerd, and bundlers load SQL as text', async () => {
  const response = await exports.default.fetch('http://sallyport/healthz');
  expect(await response.text()).toBe('ok\n');
  expect(sql).toContain('CREATE TABLE');
});
