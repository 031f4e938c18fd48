/** Of tests only: 32 bytes, as Standard Webhooks writes them. */
export const WEBHOOK_SECRET = 'whsec_dGVzdC1vbmx5LXdlYmhvb2stc2VjcmV0LTMyLWJ5dGU=';
