import { defineConfig } from 'drizzle-kit';

export default defineConfig({ dialect: 'sqlite', schema: './src/stores/d1/schema.ts', out: './migrations' });
