/** The object moved or was restarted; one that says it is overloaded is not asked again. */
export function isTransient(fault: unknown): boolean {
  if (typeof fault !== 'object' || fault === null) return false;
  const { retryable, durableObjectReset, overloaded } = fault as Record<string, unknown>;
  return (retryable === true || durableObjectReset === true) && overloaded !== true;
}

/** For what may be done twice without harm. */
export async function retriedOnce<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (fault) {
    if (!isTransient(fault)) throw fault;
    return await call();
  }
}
