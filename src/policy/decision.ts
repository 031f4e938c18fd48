export type DenialReason =
  | 'key_disabled'
  | 'key_expired'
  | 'upstream_not_granted'
  | 'tool_not_granted'
  | 'resource_not_granted'
  | 'prompt_not_granted'
  | 'provider_not_granted'
  | 'model_not_granted';

export type Decision = { readonly allow: true } | { readonly allow: false; readonly reason: DenialReason };

export const ALLOW: Decision = { allow: true };

export function deny(reason: DenialReason): Decision {
  return { allow: false, reason };
}
