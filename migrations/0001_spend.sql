CREATE TABLE `spend_position` (
	`id` integer PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `spend_rollups` (
	`span` text NOT NULL,
	`start` integer NOT NULL,
	`tag` text NOT NULL,
	`tag_value` text NOT NULL,
	`kind` text NOT NULL,
	`customer` text NOT NULL,
	`team` text NOT NULL,
	`key_id` text NOT NULL,
	`key_name` text NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`server` text NOT NULL,
	`tool` text NOT NULL,
	`calls` integer NOT NULL,
	`errors` integer NOT NULL,
	`cancelled` integer NOT NULL,
	`denied` integer NOT NULL,
	`unpriced_calls` integer NOT NULL,
	`lower_bound_calls` integer NOT NULL,
	`over_calls` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`charged_nano_usd` integer NOT NULL,
	`over_nano_usd` integer NOT NULL,
	`input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`cache_read_tokens` integer NOT NULL,
	`cache_write_tokens` integer NOT NULL,
	PRIMARY KEY(`span`, `start`, `tag`, `tag_value`, `kind`, `customer`, `team`, `key_id`, `key_name`, `provider`, `model`, `server`, `tool`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `spend_tag_values` (
	`day` integer NOT NULL,
	`tag` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`day`, `tag`, `value`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `audit_events` ADD `estimate_nano_usd` integer;--> statement-breakpoint
ALTER TABLE `audit_events` ADD `charged_nano_usd` integer;--> statement-breakpoint
INSERT INTO `spend_position` (`id`, `seq`) VALUES (1, 0);
