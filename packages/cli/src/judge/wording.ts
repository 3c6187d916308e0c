// facts → [wording] → verdicts: what fills the blanks

import type { AnswerFacts, Facts, FieldLine } from "../facts.ts";
import { placeName } from "../probe/plan.ts";
import { type Software, softwareIn } from "../verdicts/hops.ts";

export const seconds = (ms: number): string => String(Math.round(ms / 100) / 10);
export const placeOf = (target: Facts["target"]): string => placeName(target);

/** The values of a field in a head. */
export function headFields(head: string, name: string): string[] {
  return head.split(/\r?\n/).flatMap((line) => {
    const [, key, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    return key?.toLowerCase() === name ? [value!] : [];
  });
}

export function valuesOf(fields: readonly FieldLine[], name: string): string[] {
  return fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

export function fieldOf(fields: readonly FieldLine[], name: string): string | undefined {
  const values = valuesOf(fields, name);
  return values.length === 0 ? undefined : values.join(", ");
}

/** The software that an answer names. */
export function softwareOf({ fields, body }: AnswerFacts): Software | undefined {
  const named = ["server", "via", "proxy-status", "x-squid-error"].map((name) => {
    const value = fieldOf(fields, name);
    return name === "x-squid-error" && value !== undefined ? "squid" : (value ?? "");
  });
  // Their own pages end in their names.
  const [, page = ""] = /\b(nginx|openresty)(?:\/[\d.]+)?$/.exec(body) ?? [];
  return softwareIn(...named, page);
}

/** Who answered, as the subject of a sentence. */
export function hopOf(answer: AnswerFacts): string {
  const { fields } = answer;
  const status = fieldOf(fields, "proxy-status");
  const [proxy] = status?.split(/[;,]/) ?? [];
  const server = fieldOf(fields, "server");
  const known = softwareOf(answer)?.name;
  if (proxy !== undefined && proxy !== "") return `The proxy ${proxy}`;
  if (known !== undefined) return known;
  return server === undefined || server === "" ? "The server" : server;
}

/** Who stands before the server that answered, as the subject of a sentence. */
export function relayOf(answer: AnswerFacts): string {
  if (softwareOf(answer) !== undefined) return hopOf(answer);
  const [, name] = /^\S+ ([^\s,]+)/.exec(fieldOf(answer.fields, "via") ?? "") ?? [];
  return name === undefined ? "A hop before the server" : `The hop ${name}`;
}

/** The text of a refusal, for the end of a sentence. */
export function saidBy({ body }: AnswerFacts): string {
  if (body === "") return "";
  const line = body.length > 100 ? `${body.slice(0, 99)}…` : body;
  return `: ${JSON.stringify(line)}`;
}
