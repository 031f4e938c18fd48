import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openKeyring } from '../../../../src/config/keyring.ts';
import type { RequestStateBinding } from '../../../../src/mcp/client-request.ts';
import { createRequestStates } from '../../../../src/mcp/protocol/request-states.ts';

const MINUTE = 60_000;

function statesOf(masterKey: string, clock = { now: 1_000_000 }) {
  const key = async () => {
    const opened = await openKeyring(btoa(masterKey.repeat(32)));
    if (!opened.ok) throw new Error(opened.error);
    return opened.value.requestStates;
  };
  return createRequestStates({ key, now: () => clock.now });
}

const BINDING: RequestStateBinding = { principal: 'vk_1', method: 'tools/call', upstream: 's', digest: 'abc' };
const binding = fc.record({
  principal: fc.string(),
  method: fc.string(),
  upstream: fc.string(),
  digest: fc.string(),
});

describe('a sealed request state', () => {
  it('opens as it was, for the very request it was given for, whatever it holds', async () => {
    const states = statesOf('a');
    await fc.assert(
      fc.asyncProperty(fc.option(fc.string({ unit: 'binary' }), { nil: undefined }), binding, async (state, bound) => {
        const sealed = await states.seal(state, bound);
        expect(sealed).toMatch(/^[\w-]+$/);
        expect(await states.open(sealed, bound)).toEqual(state === undefined ? {} : { state });
      }),
    );
    expect(await states.open(await states.seal('\ud800 \ufeff', BINDING), BINDING)).toEqual({ state: '\ud800 \ufeff' });
  });

  it('opens for no other principal, method, upstream or arguments', async () => {
    const states = statesOf('a');
    await fc.assert(
      fc.asyncProperty(binding, binding, async (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(await states.open(await states.seal('state', one), other)).toBeUndefined();
      }),
    );
    const sealed = await states.seal('state', BINDING);
    for (const member of ['principal', 'method', 'upstream', 'digest'] as const) {
      expect(await states.open(sealed, { ...BINDING, [member]: 'other' })).toBeUndefined();
    }
    // What stands next to each other must not run into each other.
    const moved = { ...BINDING, principal: 'vk_1tools', method: '/call' };
    expect(await states.open(sealed, moved)).toBeUndefined();
  });

  it('does not open when any part of it was altered, cut or invented', async () => {
    const states = statesOf('a');
    const sealed = await states.seal('state', BINDING);
    const bytes = Uint8Array.from(atob(sealed.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    for (let index = 0; index < bytes.length; index++) {
      const altered = bytes.with(index, (bytes[index] ?? 0) ^ (1 << (index % 8)));
      expect(await states.open(btoa(String.fromCharCode(...altered)), BINDING)).toBeUndefined();
      expect(await states.open(btoa(String.fromCharCode(...bytes.subarray(0, index))), BINDING)).toBeUndefined();
    }
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String()), async (invented) => {
        expect(await states.open(invented, BINDING)).toBeUndefined();
      }),
    );
  });

  it('opens for ten minutes, as often as the client needs', async () => {
    const clock = { now: 5_000_000 };
    const states = statesOf('a', clock);
    const sealed = await states.seal('state', BINDING);
    clock.now += 10 * MINUTE - 1;
    expect(await states.open(sealed, BINDING)).toEqual({ state: 'state' });
    expect(await states.open(sealed, BINDING)).toEqual({ state: 'state' });
    clock.now += 1;
    expect(await states.open(sealed, BINDING)).toBeUndefined();
  });

  it('opens after a restart with the same master key, and with no other', async () => {
    const sealed = await statesOf('a').seal('state', BINDING);
    expect(await statesOf('a').open(sealed, BINDING)).toEqual({ state: 'state' });
    expect(await statesOf('b').open(sealed, BINDING)).toBeUndefined();
  });

  it('is never alike twice, and tells nothing of its state', async () => {
    const states = statesOf('a');
    const sealed = await states.seal('a secret of the server', BINDING);
    expect(sealed).not.toBe(await states.seal('a secret of the server', BINDING));
    expect(atob(sealed.replaceAll('-', '+').replaceAll('_', '/'))).not.toContain('secret');
  });

  it('is bounded: too large a state is a fault, too large a sealed one is not looked at', async () => {
    const states = statesOf('a');
    const largest = await states.seal('x'.repeat(250_000), BINDING);
    expect(await states.open(largest, BINDING)).toEqual({ state: 'x'.repeat(250_000) });
    await expect(states.seal('x'.repeat(300_000), BINDING)).rejects.toThrow(RangeError);
    expect(await states.open(`${largest}${'A'.repeat(200_000)}`, BINDING)).toBeUndefined();
  });
});
