// What the scanner says of a definition. Types only.

/** `high` is what `scan: block` withholds; `low` is worth a look and no alarm. */
export type Severity = 'low' | 'medium' | 'high';

export type Rule =
  | 'hidden_text'
  | 'invisible_characters'
  | 'reordered_text'
  | 'control_characters'
  | 'padding'
  | 'encoded_text'
  | 'mixed_script_name'
  | 'imitated_name'
  | 'shared_name'
  | 'overrides_instructions'
  | 'poses_as_conversation'
  | 'asks_for_secrets'
  | 'takes_data'
  | 'hides_from_user'
  | 'obeys_content'
  | 'alters_other_tool'
  | 'changes_after_approval'
  | 'unread';

export interface Finding {
  readonly rule: Rule;
  readonly severity: Severity;
  /** Wire name, as an excerpt. */
  readonly tool: string;
  /** Path within the definition, such as `inputSchema.properties.path.default`, as an excerpt. */
  readonly where: string;
  /** See `excerpt.ts`: safe to show. */
  readonly excerpt: string;
}
