import { createRequire } from 'node:module';
import { z } from 'zod';

const loaded: unknown = createRequire(import.meta.url)('workerd');

/** Path of the binary itself: the script of that name would put a Node process before it. */
export const WORKERD = z.object({ default: z.string() }).parse(loaded).default;
