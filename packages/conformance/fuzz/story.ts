import { escaped } from "../src/stories/octet-text.ts";
import type { Seed } from "./corpus.ts";
import { BOUNDS } from "./corpus.ts";
import type { Ask } from "./oracle.ts";

/** A story for a finding, ready to be pasted; its events must be checked by hand. */
export function storyOf({ text, situation }: Seed, title: string): string {
  const { role, asks, bounds, ended } = situation;
  const standard = BOUNDS[0]!;
  const limits = Object.entries(bounds)
    .filter(([name, value]) => value !== standard[name as keyof typeof standard])
    .map(([name, value]) => ` ${name}=${value}`);
  const option =
    asks.length === 1 && !asks[0]!.withheld && !asks[0]!.last ? ` asks=${words(asks[0]!)}` : "";
  return [
    `## Found by the fuzzer: ${title}`,
    `<!-- Z01 · role=${role}${option}${limits.join("")} -->`,
    ...(option === "" && asks.length > 0 ? ["", "```do", ...asks.flatMap(actionsOf), "```"] : []),
    "",
    "```http",
    ...linesOf(text),
    "```",
    ...(ended ? ["", "```do", "end-of-file", "```"] : []),
    "",
    "```events",
    "```",
  ].join("\n");
}

function words({ method, offers }: Ask): string {
  return offers.length === 0 ? method : `${method}+${offers.join()}`;
}

function actionsOf({ method, offers, last, withheld }: Ask, i: number): string[] {
  const target = method === "CONNECT" ? "a.test:443" : "/";
  return [
    `${i === 0 ? "request" : "pipeline"} ${method} ${target}${withheld ? " length=4" : ""}`,
    "  Host: a.test",
    ...(offers.length > 0 ? ["  Connection: Upgrade", `  Upgrade: ${offers.join()}`] : []),
    ...(last ? ["  Connection: close"] : []),
    ...(withheld ? ["  Expect: 100-continue"] : []),
    ...(i === 0 && !withheld ? ["end-of-message"] : []),
  ];
}

// A line ends in CRLF, or in a backslash.
function linesOf(text: string): string[] {
  const lines = text.split("\r\n").map((line) => escaped(Buffer.from(line, "latin1")));
  const last = lines.pop()!;
  return last === "" ? lines : [...lines, `${last}\\`];
}
