import type { Mutation } from "./book.mjs";

export function applyTo(
  sources: ReadonlyMap<string, string>,
  mutation: Mutation,
): { readonly changed: ReadonlyMap<string, string>; readonly faults: readonly string[] };
