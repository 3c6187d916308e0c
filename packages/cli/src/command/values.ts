// argv → [values] → commands: the values of options, checked

import { readFileSync } from "node:fs";
import type { FieldLine } from "../facts.ts";
import { UsageError } from "../usage-error.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A URL of http:, https:, ws:, wss: or unix:. */
export function urlOf(text: string): URL {
  const isBare = !/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !text.startsWith("unix:");
  const url = isBare ? undefined : URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^(?:https?|wss?|unix):$/.test(url.protocol)) return url;
  const rest = text.replace(/^[a-z][a-z0-9+.-]*:\/*/i, "");
  const scheme = isBare ? "has no scheme" : "has a scheme that is not ws, wss, http, https or unix";
  throw new UsageError(`${JSON.stringify(text)} ${scheme}`, `ws://${isBare ? text : rest}`);
}

/** `Name: value`. */
export function headerOf(text: string): FieldLine {
  const [, name = "", value = ""] = /^([^:]+):\s*(.*)$/.exec(text) ?? [];
  if (!TOKEN.test(name) || /[\r\n\0]/.test(value)) {
    throw new UsageError(
      `--header ${JSON.stringify(text)} is not "Name: value"`,
      '--header "Origin: https://a.test"',
    );
  }
  const lower = name.toLowerCase();
  if (lower === "upgrade")
    throw new UsageError("--header cannot set Upgrade", `--protocol ${value}`);
  if (lower === "connection") {
    throw new UsageError(
      "--header cannot set Connection: it is added with --protocol",
      "--protocol TOKEN",
    );
  }
  return [name, value];
}

export function tokenOf(text: string, option: string): string {
  if (text.split("/").every((part) => TOKEN.test(part)) && text.split("/").length <= 2) return text;
  throw new UsageError(
    `${option} ${JSON.stringify(text)} is not a protocol`,
    `${option} websocket`,
  );
}

/** Seconds, as milliseconds. */
export function secondsOf(text: string, option: string): number {
  const value = Number(text.replace(/s$/, ""));
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0 && value <= 86_400) {
    return Math.round(value * 1000);
  }
  throw new UsageError(`${option} takes seconds, not ${JSON.stringify(text)}`, `${option} 10`);
}

export function portOf(text: string, option: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(
    `${option} takes a port from 0 to 65535, not ${JSON.stringify(text)}`,
    `${option} 8080`,
  );
}

/** The content of a file. */
export function fileOf(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`, `${option} cert.pem`);
  }
}
