// Bundlers of this project load these files as text (wrangler's default rules, esbuild's `text` loader).
declare module '*.sql' {
  const text: string;
  export default text;
}
