CREATE TABLE `audit_events` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`outcome` text NOT NULL,
	`reason` text,
	`request_id` text,
	`parent_id` text,
	`key_id` text,
	`key_name` text,
	`team` text,
	`customer` text,
	`principal` text,
	`server` text,
	`tool` text,
	`session` text,
	`client` text,
	`provider` text,
	`model` text,
	`response_model` text,
	`stream` integer,
	`input_tokens` integer,
	`output_tokens` integer,
	`cache_read_tokens` integer,
	`cache_write_tokens` integer,
	`reasoning_tokens` integer,
	`usage_certainty` text,
	`cost_nano_usd` integer,
	`latency_ms` integer,
	`upstream_ms` integer,
	`status` integer,
	`request_bytes` integer,
	`response_bytes` integer,
	`attempt` integer,
	`tags` text,
	`tool_use_id` text,
	`args_sha256` text,
	`arguments` text,
	`result` text,
	`subject` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `audit_events_id` ON `audit_events` (`id`);--> statement-breakpoint
CREATE INDEX `audit_events_at` ON `audit_events` (`at`);--> statement-breakpoint
CREATE INDEX `audit_events_key` ON `audit_events` (`key_id`,`at`);--> statement-breakpoint
CREATE INDEX `audit_events_request` ON `audit_events` (`request_id`);--> statement-breakpoint
CREATE TABLE `config_objects` (
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`id` text NOT NULL,
	`document` text NOT NULL,
	`source` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `name`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `config_objects_id` ON `config_objects` (`id`);--> statement-breakpoint
CREATE TABLE `config_revision` (
	`id` integer PRIMARY KEY NOT NULL,
	`revision` integer NOT NULL
);
