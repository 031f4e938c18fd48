// A CommonJS module without types; as Node imports it, its exports are one object.
declare module 'workerd' {
  const exports: { /** Path of the binary. */ readonly default: string };
  export default exports;
}
