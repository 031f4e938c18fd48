/** Under which name the object is found that is a key's session in this slot. */
export function sessionName(keyId: string, slot: number): string {
  return `${keyId}/${slot}`;
}
