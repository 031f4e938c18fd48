/** Who is calling, as far as policy, ledger and audit need to know. */
export interface Principal {
  readonly kind: 'virtual_key';
  /** Stable id of the virtual key, `vk_…`. */
  readonly keyId: string;
  readonly keyName: string;
  readonly team?: string;
  readonly customer?: string;
  /** Names the ledger object that carries this caller's spend and audit outbox: customer, else team, else key. */
  readonly payer: string;
}

export function payerOf(owner: { keyId: string; team?: string | undefined; customer?: string | undefined }): string {
  if (owner.customer !== undefined) return `customer:${owner.customer}`;
  if (owner.team !== undefined) return `team:${owner.team}`;
  return `key:${owner.keyId}`;
}
