// The `initialize` request of the legacy eras, as far as the gateway reads it.
import { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import type { ClientCapabilities, Implementation } from '@modelcontextprotocol/server';
import { at, isObject, textAt, type JsonObject } from '../../lib/json-value.ts';
import type { Face } from '../links.ts';

export interface Handshake {
  readonly protocolVersion: string;
  readonly face: Face;
}

/** The one that a client of the old transport speaks before it has said anything. */
export const OLDEST_HANDSHAKE: Handshake = { protocolVersion: '2024-11-05', face: { capabilities: {} } };

/** A version that is not known is answered with the newest that is (2025-11-25, lifecycle, "Version Negotiation"). */
export function readHandshake(params: JsonObject | undefined): Handshake {
  const requested = textAt(params, 'protocolVersion');
  const capabilities = at(params, 'capabilities');
  const info = at(params, 'clientInfo');
  return {
    protocolVersion: requested !== undefined && isLegacyVersion(requested) ? requested : LATEST_PROTOCOL_VERSION,
    face: {
      capabilities: isObject(capabilities) ? (capabilities as ClientCapabilities) : {},
      ...(isImplementation(info) && { info }),
    },
  };
}

export function isLegacyVersion(version: string): boolean {
  return SUPPORTED_PROTOCOL_VERSIONS.includes(version);
}

/** Events without data came with this revision; older clients take one for a broken message. */
export function understandsEmptyEvents(protocolVersion: string): boolean {
  return protocolVersion >= '2025-11-25';
}

function isImplementation(value: unknown): value is Implementation {
  return textAt(value, 'name') !== undefined && textAt(value, 'version') !== undefined;
}
