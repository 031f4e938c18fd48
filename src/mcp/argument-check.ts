// Arguments that a model wrote, against the schema that the tool's server gave: what a model was shown may say less.
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
import type { JsonSchemaType, JsonSchemaValidator, Tool } from '@modelcontextprotocol/server';
import { describeFault, log } from '../lib/log.ts';

const MAX_PROBLEM_CHARACTERS = 2_000;

const validators = new CfWorkerJsonSchemaValidator({ shortcircuit: false });

// A catalog is plain data that outlives requests, and so may what is derived from it.
const known = new WeakMap<Tool['inputSchema'], JsonSchemaValidator<unknown>>();

/**
 * @returns what is wrong with the arguments, for the model to read; undefined where nothing is, and where the schema
 *   cannot be judged by, as one that refers to another document: its server then judges for itself
 */
export function argumentProblem(tool: Tool, given: Readonly<Record<string, unknown>>): string | undefined {
  try {
    const validator = known.get(tool.inputSchema) ?? validators.getValidator(tool.inputSchema as JsonSchemaType);
    known.set(tool.inputSchema, validator);
    const verdict = validator(given);
    // Part of a sentence at its callers.
    return verdict.valid ? undefined : verdict.errorMessage.replace(/\.$/, '').slice(0, MAX_PROBLEM_CHARACTERS);
  } catch (fault) {
    log('warn', 'tool.schema.unusable', { tool: tool.name, fault: describeFault(fault) });
    return undefined;
  }
}
