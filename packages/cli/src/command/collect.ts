// argv → [collect] → commands: options that may be repeated

/** For commander: adds a value to those before it. */
export const collect = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  value,
];
