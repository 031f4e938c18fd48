import type { Admission } from '../../src/budget/admission.ts';

/** Where nothing is limited nobody is asked. */
export const NO_LIMITS: Admission = {
  admit: () => Promise.reject(new Error('a request that nothing limits was to be admitted')),
  standings: () => [],
};
