/** Each fault with its code, as the framework itself reports them. */
export function describeFaults(faults: readonly Error[]): string[] {
  return faults.map((fault) => {
    const { code } = fault as { code?: unknown };
    return `${typeof code === 'string' ? `[${code}] ` : ''}${fault.message}`;
  });
}
