/** Tool calls of one turn that run at the same time; the others wait. */
export const PARALLEL_TOOL_CALLS = 8;

/** While nothing else is said on a stream, so that a caller that left is noticed. */
export const KEEP_ALIVE_MS = 2_000;

/** Of one tool's result, in characters of text, that a model is given. */
export const TOOL_RESULT_CHARACTERS = 1_000_000;

/** Of an input schema as shown to a model: how many schemas within it, and how deep. */
export const SCHEMA_NODES = 2_000;
export const SCHEMA_DEPTH = 24;

/** Of one description, of a tool or within its schema, that a model is shown. */
export const DESCRIPTION_CHARACTERS = 8_000;
