import { describe, expect, it } from 'vitest';
import { openKeyring, type Keyring } from '../../../src/config/keyring.ts';
import { sealSecrets, SealError, unsealSecrets } from '../../../src/config/sealing.ts';

async function keyring(masterKey: string): Promise<Keyring> {
  const opened = await openKeyring(masterKey);
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}
const ours = await keyring(btoa('a'.repeat(32)));
const theirs = await keyring(btoa('b'.repeat(32)));

const SERVER = { name: 's', type: 'http', url: 'https://h/?k=1', headers: { 'X-One': 'first', 'X-Two': 'second' } };
const PROVIDER = {
  name: 'p',
  keys: [
    { name: 'main', value: 'one', weight: 1 },
    { value: 'two', weight: 1 },
  ],
};

interface SealedServer {
  url: unknown;
  headers: Record<string, unknown>;
}
const sealServer = async () => (await sealSecrets(ours, 'server', 's', SERVER)) as SealedServer;

describe('sealing', () => {
  it('seals each secret and opens it again', async () => {
    const sealed = await sealServer();
    expect(sealed).toMatchObject({
      name: 's',
      type: 'http',
      headers: { 'X-One': { $sealed: expect.stringMatching(/^v1\./) } },
    });
    expect(JSON.stringify(sealed)).not.toMatch(/first|second|k=1/);
    expect(await unsealSecrets(ours, 'server', 's', sealed)).toEqual(SERVER);
    const provider = await sealSecrets(ours, 'provider', 'p', PROVIDER);
    expect(JSON.stringify(provider)).not.toMatch(/"(one|two)"/);
    expect(await unsealSecrets(ours, 'provider', 'p', provider)).toEqual(PROVIDER);
  });

  it('never seals alike twice', async () => {
    expect(await sealServer()).not.toEqual(await sealServer());
  });

  it('does not open under another master key, and says which secret it was', async () => {
    await expect(unsealSecrets(theirs, 'server', 's', await sealServer())).rejects.toThrow(
      /server\/s\/url does not open with this SALLYPORT_MASTER_KEY/,
    );
  });

  it('does not open elsewhere', async () => {
    const sealed = await sealServer();
    const swapped = { ...sealed, headers: { 'X-One': sealed.headers['X-Two'], 'X-Two': sealed.headers['X-One'] } };
    await expect(unsealSecrets(ours, 'server', 's', swapped)).rejects.toThrow(SealError);
    await expect(unsealSecrets(ours, 'server', 'other', sealed)).rejects.toThrow(SealError);
    await expect(unsealSecrets(ours, 'provider', 's', { headers: sealed.headers })).rejects.toThrow(SealError);
    await expect(unsealSecrets(ours, 'server', 's', { ...sealed, url: sealed.headers['X-One'] })).rejects.toThrow(
      SealError,
    );
  });

  it('does not open when altered or in clear', async () => {
    const sealed = JSON.stringify(await sealServer());
    const altered = sealed.replace(
      /(v1\.[^"]{20})(.)/,
      (_whole, start: string, next: string) => start + (next === 'A' ? 'B' : 'A'),
    );
    await expect(unsealSecrets(ours, 'server', 's', JSON.parse(altered))).rejects.toThrow(SealError);
    await expect(unsealSecrets(ours, 'server', 's', SERVER)).rejects.toThrow('is not sealed');
  });
});

describe('the master key', () => {
  it.each([undefined, '', 'short', btoa('a'.repeat(31)), btoa('a'.repeat(33)), '%%%'])(
    'refuses %j, saying what to do',
    async (masterKey) => {
      const opened = await openKeyring(masterKey);
      expect(opened).toMatchObject({ ok: false, error: expect.stringContaining('openssl rand -base64 32') });
      if (!opened.ok && masterKey !== undefined && masterKey !== '') expect(opened.error).not.toContain(masterKey);
    },
  );
});
