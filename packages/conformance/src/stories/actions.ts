import { unescaped } from "./octet-text.ts";
import type { Block } from "./read-fixtures.ts";

/** One line of a `do` block, with the indented field lines under it. */
export interface Action {
  readonly words: readonly string[];
  readonly rest: string;
  readonly fields: readonly (readonly [string, string])[];
}

/** What a `do` block makes the application do, in order. */
export function actionsOf({ lines }: Block): Action[] {
  const actions: { words: string[]; rest: string; fields: [string, string][] }[] = [];
  for (const line of lines) {
    if (line.startsWith("  ")) {
      const colon = line.indexOf(":");
      const value = latin1(line.slice(colon + 1).trim());
      actions.at(-1)!.fields.push([line.slice(0, colon).trim(), value]);
    } else {
      const words = line.split(" ");
      actions.push({ words, rest: words.slice(1).join(" "), fields: [] });
    }
  }
  return actions;
}

/** `length=5`, `length=unknown`: the length of the body. */
export function lengthOf(action: Action): number | "unknown" | undefined {
  const length = option(action, "length");
  return length === undefined || length === "unknown" ? length : Number(length);
}

export function option({ words }: Action, name: string): string | undefined {
  const value = words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === undefined ? undefined : latin1(value);
}

/** The target of a request to send. */
export function targetOf({ words }: Action): string {
  return latin1(words[2] ?? "");
}

function latin1(text: string): string {
  return Buffer.from(unescaped(text)).toString("latin1");
}
