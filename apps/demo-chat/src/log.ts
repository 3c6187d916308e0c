// server → [log] → terminal in words, file as JSON: what happens in the chat

import pino from "pino";
import { printable } from "./wording.ts";

/** Something that happened. It has no address and no header: those may be secret. */
export type LogEntry =
  | {
      readonly event: "joined" | "left";
      readonly name: string;
      readonly room: string;
      /** How many people the room has now. */
      readonly people: number;
    }
  /** A WebSocket ended: the code and the reason of its close frame (RFC 6455 §7.4). */
  | { readonly event: "closed"; readonly code: number; readonly reason: string }
  /** A proposal got a response that is no 101. */
  | { readonly event: "refused"; readonly status: number }
  | { readonly event: "failed"; readonly reason: string };

export type Log = (entry: LogEntry) => void;

/** An entry as a line; undefined if it is for the file only. */
export function logLine(entry: LogEntry): string | undefined {
  switch (entry.event) {
    case "joined":
    case "left": {
      const { name, event, room, people } = entry;
      return printable(`${name} ${event} (${room}: ${people} here)`);
    }
    case "refused":
      return `a proposal was refused with ${entry.status}`;
    case "failed":
      return printable(entry.reason);
    case "closed":
      return undefined;
  }
}

/** Appends entries to a file, one JSON object a line. @throws If the file cannot be opened. */
export function logFile(path: string): Log {
  // Synchronous, so that nothing is lost at the end.
  const logger = pino(pino.destination({ dest: path, sync: true }));
  return (entry) => logger.info(entry);
}
