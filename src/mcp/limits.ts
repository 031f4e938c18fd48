/** How long a listing waits for an upstream that was never discovered. One that was answers at once from memory. */
export const DISCOVERY_DEADLINE_MS = 2_000;

/** Tools per page of `tools/list`: most clients fetch the first page only, so it is as large as a client can use. */
export const PAGE_SIZE = 1_000;

/** For how long a client of 2026-07-28 may keep a listing. Short: a grant can be taken back at any moment. */
export const LIST_TTL_MS = 10_000;

/** A catalog younger than this is not discovered again because a tool is missing in it. */
export const REFRESH_AFTER_MS = 2_000;

/** Of the instructions handed to a client: they stand in the context of every conversation. */
export const INSTRUCTIONS_BYTES = 4_096;

/** Of a name taken from a request into an error or an audit event. */
export const NAME_LENGTH = 200;
