// How a console shows our objects.

/** The method that a console calls to show an object. It is Node's symbol; Deno and Bun use it too. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** The console's own function. Its options are passed on unchanged. */
export type Inspect = (value: unknown, options: object) => string;

/** Makes a console show an io by its class alone: a whole socket fills several screens. */
export function byClass(io: object): object {
  return { [INSPECT]: () => `[${io.constructor?.name ?? "Object"}]` };
}

/**
 * Formats an object of the class `name` with these facts, as a console would. Undefined facts are
 * omitted.
 */
export function shown(
  name: string,
  facts: object,
  depth: number | null,
  options: object,
  inspect: Inspect,
): string {
  if (depth !== null && depth < 0) return `[${name}]`;
  const known = Array.isArray(facts)
    ? facts
    : Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined));
  return `${name} ${inspect(known, depth === null ? options : { ...options, depth })}`;
}
