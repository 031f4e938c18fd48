// Ids sort by time: a random primary key writes a page per row, an ascending one appends.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base32, lower case
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16; // of five bits each

/**
 * A ULID in lower case behind a prefix: `evt_01k9…`. 48 bits of milliseconds since the epoch, 80 random bits.
 * @param prefix names what the id is of, without the underscore
 * @param now milliseconds since the epoch
 */
export function newId(prefix: string, now: number): string {
  let time = '';
  let rest = now;
  for (let index = 0; index < TIME_CHARACTERS; index++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_CHARACTERS))) tail += ALPHABET.charAt(byte & 31);
  return `${prefix}_${time}${tail}`;
}
