// events → [wording] → terminal: formats an event as one line

import picocolors from "picocolors";
import type { ChatEvent } from "./protocol.ts";

type Colors = ReturnType<typeof picocolors.createColors>;

/** Formats an event as a line for the terminal. */
export function worded(event: ChatEvent, colors: Colors = picocolors): string {
  const { bold, dim, red } = colors;
  switch (event.type) {
    case "welcome": {
      const others =
        event.people.length === 0 ? "nobody else is" : `${event.people.join(", ")} also`;
      const here = printable(`${others} here`);
      if (event.you === null) return dim(`${here}; what is your name?`);
      return dim(`you are ${printable(event.you)}; ${here}`);
    }
    case "joined":
      return dim(`${printable(event.name)} joined`);
    case "left":
      return dim(`${printable(event.name)} left`);
    case "message":
      return `${bold(printable(event.from))}: ${printable(event.text)}`;
    case "error":
      return red(printable(event.reason));
    case "pong":
      return dim("the server is there");
  }
}

/** Replaces control characters, so that text from others cannot move the cursor, or worse. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "�");
}
