// Ids of events: which stream, and where in it. Streams have names that cannot be guessed, so that an id of another
// session names nothing in this one.
import { encodeBase64Url } from '../../lib/base64url.ts';

export interface EventPosition {
  readonly stream: string;
  readonly seq: number;
}

const NAME_BYTES = 12;
const FORMAT = /^([A-Za-z0-9_-]{16})\.(\d{1,15})$/;

export function newStreamName(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(NAME_BYTES)));
}

export function eventId({ stream, seq }: EventPosition): string {
  return `${stream}.${seq}`;
}

export function readEventId(id: string): EventPosition | undefined {
  const [, stream, seq] = FORMAT.exec(id) ?? [];
  return stream === undefined || seq === undefined ? undefined : { stream, seq: Number(seq) };
}
