/** Without a `timeout` of the provider's own: how long it may stay silent, before its answer and within it. */
export const SILENCE_MS = 600_000;

/** A JSON answer up to this size is read before it is passed on, so that its cost can stand in a header. */
export const BUFFERED_ANSWER_BYTES = 1024 * 1024;

/** Of a larger JSON answer this much of the end is kept to look for the usage, which providers put last. */
export const ANSWER_TAIL_BYTES = 64 * 1024;

/** While the audit buffer is full, how long calls are refused before one is let through to try again. */
export const AUDIT_PAUSE_MS = 1000;

/** For listing one provider's models. */
export const MODEL_LIST_DEADLINE_MS = 3000;
export const MODEL_LIST_LIFETIME_MS = 60_000;
export const MODEL_LIST_BYTES = 8 * 1024 * 1024;
/** How long a provider that could not list its models is not asked again. */
export const MODEL_LIST_PAUSE_MS = 5000;
