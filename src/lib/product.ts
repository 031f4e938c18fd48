/** What this gateway calls itself, to clients and to upstreams. The version is package.json's. */
export const PRODUCT = { name: 'sallyport', version: '0.1.0' } as const;
