// A suite that silently fell back to Node would prove nothing about the runtime it ships on.
if (navigator.userAgent !== 'Cloudflare-Workers') throw new Error('these tests must run in workerd');
