import type { Upstream } from '../../policy/snapshot.ts';
import type { Face } from '../links.ts';

/**
 * The client as this upstream is to see it. A stdio server runs where the gateway does, and some take the folders they
 * may touch from their client's roots: a client would open the gateway's own disk to itself.
 */
export function faceTowards(upstream: Upstream, face: Face): Face {
  if (upstream.type !== 'stdio' || upstream.roots === 'relay' || face.capabilities.roots === undefined) return face;
  const { roots: _, ...capabilities } = face.capabilities;
  return { ...face, capabilities };
}
