/** Of a description as text, unpacked. */
export const SPEC_BYTES = 4 * 1024 * 1024;

/** Of the input or the output schema of one tool, as JSON text. */
export const SCHEMA_CHARACTERS = 64 * 1024;

/** Of all tools of one server together, as JSON text. A catalog travels between objects whole, at most 32 MiB. */
export const CATALOG_CHARACTERS = 6 * 1024 * 1024;

/** How deep a schema may be nested, references aside. */
export const SCHEMA_DEPTH = 64;

/** What every model provider accepts as the name of a tool, and of an argument. */
export const NAME_LENGTH = 64;

export const DESCRIPTION_LENGTH = 2_000;
export const TITLE_LENGTH = 120;

/** Of the body of an error answer, in the text for the caller. */
export const ERROR_TEXT_LENGTH = 8_000;

/** How many left-out operations a note names; the rest is counted. */
export const NAMED_OMISSIONS = 5;

/** A billion laughs in YAML is aliases of aliases; a real description has a handful. */
export const YAML_ALIASES = 100;
