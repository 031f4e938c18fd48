// Whether an answer is what a tool's output schema promises: clients refuse a result that is not.
import type { JsonSchemaType, Tool } from '@modelcontextprotocol/client';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/client/validators/cf-worker';

type Check = (value: unknown) => string | undefined;

// A definition is plain data that outlives requests, and so may what is derived from it.
const checks = new WeakMap<Tool, Check>();

/** @returns what is wrong, in words; undefined for what is right, or where nothing was promised */
export function outputFault(tool: Tool, value: unknown): string | undefined {
  if (tool.outputSchema === undefined) return undefined;
  const check = checks.get(tool) ?? checkOf(tool.outputSchema);
  checks.set(tool, check);
  return check(value);
}

function checkOf(schema: NonNullable<Tool['outputSchema']>): Check {
  const validate = new CfWorkerJsonSchemaValidator().getValidator(schema as JsonSchemaType);
  return (value) => {
    try {
      const result = validate(value);
      return result.valid ? undefined : cut(result.errorMessage);
    } catch {
      // Schemas may refer to themselves without an end.
      return 'it cannot be checked';
    }
  };
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= 200 ? line : `${line.slice(0, 200)}…`;
}
