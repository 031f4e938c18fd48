// Counts what was seen, line by line, and says so at the end.

export interface Checklist {
  /** Prints and counts; what is false or throws is a failure. */
  check(what: string, attempt: () => Promise<string | undefined> | string | undefined): Promise<void>;
  /** Prints the totals and gives back the exit code. */
  finish(): number;
}

/** An attempt throws where it fails, and may give back a detail worth printing where it does not. */
export function newChecklist(): Checklist {
  let passed = 0;
  let failed = 0;
  return {
    check: async (what, attempt) => {
      try {
        const detail = await attempt();
        passed++;
        console.log(`  ok    ${what}${detail === undefined ? '' : `: ${detail}`}`);
      } catch (error) {
        failed++;
        console.log(`  FAIL  ${what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    finish: () => {
      console.log(`${passed} passed, ${failed} failed`);
      return failed === 0 ? 0 : 1;
    },
  };
}
