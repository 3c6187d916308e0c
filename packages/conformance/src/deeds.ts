import { unescaped } from "./octet-text.ts";
import type { Block } from "./read-fixtures.ts";

/** One line of a `do` block, with the indented field lines under it. */
export interface Deed {
  readonly words: readonly string[];
  readonly rest: string;
  readonly fields: readonly (readonly [string, string])[];
}

/** What a `do` block tells the application to do, in order. */
export function deedsOf({ lines }: Block): Deed[] {
  const deeds: { words: string[]; rest: string; fields: [string, string][] }[] = [];
  for (const line of lines) {
    if (line.startsWith("  ")) {
      const colon = line.indexOf(":");
      const value = latin1(line.slice(colon + 1).trim());
      deeds.at(-1)!.fields.push([line.slice(0, colon).trim(), value]);
    } else {
      const words = line.split(" ");
      deeds.push({ words, rest: words.slice(1).join(" "), fields: [] });
    }
  }
  return deeds;
}

/** `length=5`, `length=unknown`: how long the body will be. */
export function lengthOf(deed: Deed): number | "unknown" | undefined {
  const length = option(deed, "length");
  return length === undefined || length === "unknown" ? length : Number(length);
}

export function option({ words }: Deed, name: string): string | undefined {
  const value = words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === undefined ? undefined : latin1(value);
}

/** The target of a request that is to be sent. */
export function targetOf({ words }: Deed): string {
  return latin1(words[2] ?? "");
}

function latin1(text: string): string {
  return Buffer.from(unescaped(text)).toString("latin1");
}
